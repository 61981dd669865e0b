//! A text line by line: what is code, and how deep lists are.

/// What a line of a text is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// The line that opens a block of code in this language.
    Fence {
        ticks: usize,
        name: &'a str,
    },
    /// Code or a block equation, or the line that ends it.
    Inside,
    Prose,
}

/// Where the code and the block equations of a text are, as its lines are read one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    /// The line that ends what is open.
    end: Option<String>,
}

impl Code {
    /// What is open where `text` ends: in the middle of its last line, which is not counted.
    pub(crate) fn after(text: &str) -> Self {
        let mut code = Self::default();
        let whole = text.rsplit_once('\n').map(|(whole, _)| whole);
        for line in whole.into_iter().flat_map(|whole| whole.split('\n')) {
            code.line(line);
        }
        code
    }

    /// Whether what comes next is code or a block equation.
    pub(crate) fn is_open(&self) -> bool {
        self.end.is_some()
    }

    /// What the next line is. A block of code ends with as many ticks as it began with.
    pub(crate) fn line<'a>(&mut self, line: &'a str) -> Part<'a> {
        let bare = line.trim_matches(['\t', ' ', '\r']);
        if let Some(end) = &self.end {
            if bare == end.as_str() {
                self.end = None;
            }
            return Part::Inside;
        }
        let ticks = bare.len() - bare.trim_start_matches('`').len();
        if ticks >= 3 && !bare[ticks..].contains('`') {
            self.end = Some("`".repeat(ticks));
            return Part::Fence { ticks, name: &bare[ticks..] };
        }
        if bare == "$$" {
            self.end = Some(bare.to_owned());
            return Part::Inside;
        }
        if bare.len() > 4 && bare.starts_with("$$") && bare.ends_with("$$") {
            return Part::Inside;
        }
        Part::Prose
    }
}

/// Lists that are indented by blanks: an item is inside the nearest one above that is indented by two blanks less, as
/// in CommonMark.
#[derive(Default)]
pub(super) struct Lists {
    /// The tabs before all of it.
    tabs: usize,
    /// The items that are open, each with its blanks and its level.
    open: Vec<(usize, usize)>,
}

impl Lists {
    /// `line` with tabs in the place of the blanks before a list's mark.
    pub(super) fn tabs(&mut self, line: &str) -> String {
        let inner = line.trim_start_matches('\t');
        let rest = inner.trim_start_matches(' ');
        let (tabs, blanks) = (line.len() - inner.len(), inner.len() - rest.len());
        if rest.is_empty() {
            return line.to_owned();
        }
        if tabs != self.tabs {
            self.open.clear();
            self.tabs = tabs;
        }
        if !is_listed(rest) {
            if blanks == 0 {
                self.open.clear();
            }
            return line.to_owned();
        }
        while self.open.pop_if(|(above, _)| *above + 2 > blanks).is_some() {}
        let level = match self.open.last() {
            Some((_, level)) => level + 1,
            // What it is inside of stands in no line of this text.
            None if rest.starts_with(|c: char| c.is_ascii_digit()) && blanks.is_multiple_of(3) => blanks / 3,
            None => blanks / 2,
        };
        self.open.push((blanks, level));
        format!("{}{rest}", "\t".repeat(tabs + level))
    }
}

/// Whether a line begins with a list's mark.
fn is_listed(line: &str) -> bool {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark))
        || (1..=3).contains(&digits) && line[digits..].starts_with(". ")
}
