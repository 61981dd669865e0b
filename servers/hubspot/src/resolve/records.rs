//! Records by what people call them: an id, an address in HubSpot, an e-mail address, a domain, a name.

use std::{borrow::Cow, cmp::Reverse};

use connector::{
    Error, Kind, Result,
    catalog::{
        names::{Entry, find, fold},
        one_line,
    },
};
use url::Url;

use super::{Names, ObjectType, fields::CURRENCIES, objects::OWNER};
use crate::{
    api::objects::{Filter, MAX_PAGE, MAX_RESULTS, Record, Search},
    filter::{ADDITIONAL_DOMAINS, ADDITIONAL_EMAILS},
    render::{Values, title},
};

/// How many records of a name are looked at.
const CANDIDATES: u32 = 20;
/// How many records are offered in place of one that there is not.
const NEAR: usize = 5;
/// The most groups of filters that a search takes (developers.hubspot.com, "Search the CRM").
const MAX_GROUPS: usize = 5;
/// How a contact was found whose first address is another.
pub(crate) const SECONDARY: &str = "secondary address";
/// How a record was found that others share a domain with.
pub(crate) const SHARED_DOMAIN: &str = "one of several with this domain";
/// The most values of one condition (developers.hubspot.com, "Search the CRM").
const MAX_VALUES: usize = 100;

/// A record that was named, with what people know it by.
#[derive(Clone, Debug)]
pub(crate) struct RecordRef {
    pub(crate) object: ObjectType,
    pub(crate) record: Record,
    /// How it was found, where that may surprise: "secondary address".
    pub(crate) note: &'static str,
}

impl RecordRef {
    pub(crate) fn id(&self) -> &str {
        &self.record.id
    }

    /// What people know it by.
    pub(crate) fn title(&self) -> String {
        title(&self.object, &self.record)
    }

    /// `Acme (companies 201)`.
    pub(crate) fn shown(&self) -> String {
        let (title, own) = (self.title(), format!("{} {}", self.object.singular, self.record.id));
        // One without a name is called so already.
        if title == own { own } else { format!("{title} ({own})") }
    }
}

impl Entry for RecordRef {
    const WHAT: &'static str = "record";
    const CHOOSE: &'static str = "Ask the person which, and give its id";

    fn id(&self) -> &str {
        &self.record.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let all = self.object.known_by.iter().map(|title| {
            let parts = title.split(' ').map(|name| self.record.get(name)).filter(|value| !value.is_empty());
            Cow::Owned(parts.collect::<Vec<_>>().join(" "))
        });
        all.collect()
    }

    fn describe(&self) -> String {
        self.shown()
    }
}

/// A record in a list from which one is to be chosen.
struct Candidate {
    record: RecordRef,
    /// What tells it from others of its name, after a comma.
    more: String,
}

impl Entry for Candidate {
    const WHAT: &'static str = RecordRef::WHAT;
    const CHOOSE: &'static str = RecordRef::CHOOSE;

    fn id(&self) -> &str {
        Entry::id(&self.record)
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.record.names()
    }

    fn describe(&self) -> String {
        let shown = self.record.shown();
        match shown.strip_suffix(')') {
            Some(start) => format!("{start}{})", self.more),
            None => format!("{shown}{}", self.more),
        }
    }
}

impl Names {
    /// The record that `word` means: `companies:Acme`, `companies 201`, an address in HubSpot.
    ///
    /// # Errors
    /// `invalid_argument` for what names no object, or fits several records; `not_found`.
    pub(crate) async fn any_record(&self, word: &str) -> Result<RecordRef> {
        let word = word.trim();
        if word.contains("://") {
            let (object, id) = self.address(word).await?;
            return self.record(&object, &id).await;
        }
        let parted = word.split_once([':', '/']).or_else(|| word.rsplit_once(' '));
        let Some((object, id)) =
            parted.filter(|(object, id)| !object.trim().is_empty() && !id.trim().is_empty())
        else {
            return Err(Error::invalid(format!("`{}` names no record", one_line(word)))
                .with_hint("Write the object and the record, such as companies:201 or companies:Acme"));
        };
        let object = self.object(object).await?;
        self.record(&object, id).await
    }

    /// The record of `object` that `word` means.
    ///
    /// # Errors
    /// `not_found`; `invalid_argument` with the candidates where several fit.
    pub(crate) async fn record(&self, object: &ObjectType, word: &str) -> Result<RecordRef> {
        let whole = word.trim();
        let word = bare(object, whole);
        if word.contains("://") {
            let (other, id) = self.address(word).await?;
            if other != *object {
                return Err(Error::invalid(format!(
                    "The address belongs to one of the {}, not to the {}",
                    other.plural, object.plural
                )));
            }
            return self.by_id(object, &id).await;
        }
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return match self.by_id(object, word).await {
                // `Site 12` may be a name.
                Err(error) if error.kind() == Kind::NotFound && whole != word => {
                    self.by_name(object, whole).await
                }
                found => found,
            };
        }
        if object.name == "contacts" && word.contains('@') {
            let found = self.by_emails(&[word.to_owned()], &object.title_properties()).await?;
            return found.into_iter().next().and_then(|(_, found)| found).ok_or_else(|| absent(object, word));
        }
        self.by_name(object, word).await
    }

    /// The object and the id in an address of this account.
    async fn address(&self, word: &str) -> Result<(ObjectType, String)> {
        let foreign = |why: &str| {
            Error::invalid(format!(
                "`{}` is not the address of a record in this account: {why}",
                one_line(word)
            ))
            .with_hint("Give the object and the record, such as companies:201")
        };
        let url = Url::parse(word).map_err(|_| foreign("it cannot be read"))?;
        let account = self.account().await?;
        let host = url.host_str().unwrap_or_default();
        let ours = host == "hubspot.com" || host.ends_with(".hubspot.com") || host == account.ui_domain;
        if !ours {
            return Err(foreign("its host is not HubSpot's"));
        }
        // /contacts/{portal}/record/{object type}/{id}
        let parts: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
        match parts[..] {
            [_, portal, "record", object, id, ..] if portal == account.portal_id.to_string() => {
                Ok((self.object(object).await?, id.to_owned()))
            }
            [_, portal, "record", ..] => Err(foreign(&format!("it belongs to the account {portal}"))),
            _ => Err(foreign("it is not that of a record")),
        }
    }

    async fn by_id(&self, object: &ObjectType, id: &str) -> Result<RecordRef> {
        let batch =
            self.api().read_records(object, &[id.to_owned()], None, &object.title_properties(), &[]).await?;
        let record = batch.results.into_iter().next().ok_or_else(|| absent(object, id))?;
        Ok(RecordRef { object: object.clone(), record, note: "" })
    }

    /// Contacts by their addresses, first and secondary ones, in the order asked for.
    pub(crate) async fn by_emails(
        &self,
        emails: &[String],
        properties: &[String],
    ) -> Result<Vec<(String, Option<RecordRef>)>> {
        self.redacted.admits("email")?;
        let Some(object) = self.standard("contacts") else { return Ok(Vec::new()) };
        let mut properties = properties.to_vec();
        properties.extend(["email", ADDITIONAL_EMAILS].map(str::to_owned));
        let clean: Vec<String> = emails.iter().map(|email| email.trim().to_lowercase()).collect();
        let batch = self.api().read_records(&object, &clean, Some("email"), &properties, &[]).await?;
        let reference =
            |record: &Record, note| RecordRef { object: object.clone(), record: record.clone(), note };
        let first = |email: &String| {
            batch.results.iter().find(|record| record.get("email").eq_ignore_ascii_case(email))
        };
        // A search looks where the batch does not: among the other addresses of a person.
        let missing: Vec<&String> = clean.iter().filter(|email| first(email).is_none()).collect();
        let mut others = Vec::new();
        for some in missing.chunks(MAX_GROUPS) {
            let groups = some
                .iter()
                .map(|email| vec![Filter::value(ADDITIONAL_EMAILS, "CONTAINS_TOKEN", (*email).clone())]);
            let search = Search {
                groups: groups.collect(),
                properties: properties.clone(),
                limit: MAX_PAGE,
                ..Search::default()
            };
            others.extend(self.api().search(&object, &search).await?.results);
        }
        let second = |email: &String| {
            others.iter().find(|record| {
                record.get(ADDITIONAL_EMAILS).split(';').any(|one| one.trim().eq_ignore_ascii_case(email))
            })
        };
        let found = emails.iter().zip(&clean).map(|(asked, email)| {
            let own = first(email).map(|record| reference(record, ""));
            (asked.clone(), own.or_else(|| second(email).map(|record| reference(record, SECONDARY))))
        });
        Ok(found.collect())
    }

    /// The companies that have one of `domains`, as their first one or as another: HubSpot lets several have the same.
    /// What was written a moment ago is among them.
    pub(crate) async fn by_domains(
        &self,
        object: &ObjectType,
        domains: &[String],
        properties: &[String],
    ) -> Result<Vec<Record>> {
        let mut properties = properties.to_vec();
        properties.extend(["name", "domain", ADDITIONAL_DOMAINS].map(str::to_owned));
        let has_more = self.api().properties(object).await?.iter().any(|one| one.name == ADDITIONAL_DOMAINS);
        let bare: Vec<String> = domains.iter().map(|domain| bare_domain(domain)).collect();
        let mut found: Vec<Record> = Vec::new();
        for some in bare.chunks(MAX_VALUES / 2) {
            let values: Vec<String> =
                some.iter().flat_map(|domain| [domain.clone(), format!("www.{domain}")]).collect();
            let names = ["domain"].into_iter().chain(has_more.then_some(ADDITIONAL_DOMAINS));
            let group = |name| vec![Filter { values: values.clone(), ..Filter::new(name, "IN") }];
            let mut search = Search {
                groups: names.map(group).collect(),
                properties: properties.clone(),
                limit: MAX_PAGE,
                ..Search::default()
            };
            loop {
                let page = self.api().search(object, &search).await?;
                let more = page.next().is_some() && !page.results.is_empty();
                found.extend(page.results);
                search.after += u64::from(MAX_PAGE);
                if !more || search.after + u64::from(MAX_PAGE) > MAX_RESULTS {
                    break;
                }
            }
        }
        let recent = self.recent.of(object);
        if !recent.is_empty() {
            let now = self.api().read_records(object, &recent, None, &properties, &[]).await?.results;
            found.retain(|record| !recent.contains(&record.id));
            found.extend(now);
        }
        found.retain(|record| bare.iter().any(|domain| has_domain(record, domain)));
        found.sort_by_key(Record::number);
        found.dedup_by(|a, b| a.id == b.id);
        Ok(found)
    }

    async fn by_name(&self, object: &ObjectType, word: &str) -> Result<RecordRef> {
        if word.is_empty() {
            return Err(Error::invalid(format!("Which of the {}? The name is empty", object.plural)));
        }
        // What nobody may see is no way to find anybody.
        if object.known_by.is_empty()
            && let Some(name) = object.title_properties().first()
        {
            self.redacted.admits(name)?;
        }
        let properties = [object.title_properties(), telling(object)].concat();
        let search = Search { query: word.to_owned(), properties, limit: CANDIDATES, ..Search::default() };
        let mut found = self.api().search(object, &search).await?.results;
        // The index may not know yet what was written here.
        let recent = self.recent.of(object);
        if !recent.is_empty() {
            let now = self.api().read_records(object, &recent, None, &search.properties, &[]).await?.results;
            let is_there = |record: &Record| now.iter().any(|one| one.id == record.id);
            found.retain(|record| !recent.contains(&record.id) || is_there(record));
            for record in now {
                match found.iter_mut().find(|one| one.id == record.id) {
                    Some(known) => *known = record,
                    None if is_like(object, &record, word) => found.push(record),
                    None => {}
                }
            }
        }
        // HubSpot looks for words in what is redacted too.
        if !self.redacted.of(&object.searched()).is_empty() {
            found.retain(|record| is_like(object, record, word));
        }
        if found.is_empty() {
            return Err(self.near(object, word).await);
        }
        let candidates: Vec<RecordRef> =
            found.into_iter().map(|record| RecordRef { object: object.clone(), record, note: "" }).collect();
        match find(word, &candidates) {
            Ok(found) => Ok(found.clone()),
            // Which of several is meant nobody tells by their names alone.
            Err(_) => Ok(find(word, &self.told_apart(object, candidates).await?)?.record.clone()),
        }
    }

    /// Records with what tells them apart.
    async fn told_apart(&self, object: &ObjectType, records: Vec<RecordRef>) -> Result<Vec<Candidate>> {
        let fields = self.fields(object).await?;
        let columns = telling(object);
        let values = Values::read(self, fields, &columns, &self.redacted).await?;
        let told = records.into_iter().map(|record| {
            let cells = told_by(&values, &record.record, &columns).into_iter();
            Candidate { more: cells.map(|cell| format!(", {cell}")).collect(), record }
        });
        Ok(told.collect())
    }

    /// Records with most of the words of a text in what they are known by, each as an error lists it. Nothing where
    /// that cannot be looked for.
    pub(crate) async fn sharing(&self, object: &ObjectType, text: &str) -> Vec<String> {
        self.try_sharing(object, text).await.unwrap_or_default()
    }

    async fn try_sharing(&self, object: &ObjectType, text: &str) -> Result<Vec<String>> {
        let folded = fold(text);
        let mut words: Vec<&str> =
            folded.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2).collect();
        words.sort_unstable();
        words.dedup();
        let all = words.len();
        // The longest say most.
        words.sort_by_key(|word| Reverse(word.chars().count()));
        let names = object.known_by.iter().flat_map(|title| title.split(' '));
        let groups = words.iter().flat_map(|word| {
            names.clone().map(move |name| vec![Filter::value(name, "CONTAINS_TOKEN", format!("{word}*"))])
        });
        let groups: Vec<_> = groups.take(MAX_GROUPS).collect();
        if all < 2 || groups.is_empty() {
            return Ok(Vec::new());
        }
        let properties = [object.title_properties(), telling(object)].concat();
        let search = Search { groups, properties, limit: MAX_PAGE, ..Search::default() };
        let found = self.api().search(object, &search).await?.results;
        let shared = |record: &RecordRef| {
            let title = fold(&record.title());
            words.iter().filter(|word| title.contains(**word)).count()
        };
        let records = found.into_iter().map(|record| RecordRef { object: object.clone(), record, note: "" });
        let mut records: Vec<(usize, RecordRef)> =
            records.map(|record| (shared(&record), record)).filter(|(shared, _)| shared * 2 >= all).collect();
        let most = records.iter().map(|(shared, _)| *shared).max().unwrap_or_default();
        records.retain(|(shared, _)| *shared == most);
        records.truncate(NEAR);
        let records = records.into_iter().map(|(_, record)| record).collect();
        Ok(self.told_apart(object, records).await?.iter().map(Entry::describe).collect())
    }

    /// That there is no record of a name, with those that share most of its words.
    async fn near(&self, object: &ObjectType, word: &str) -> Error {
        let error = Error::not_found(format!("There is no {} `{}`", object.singular, one_line(word)));
        match &self.sharing(object, word).await[..] {
            [] => error.with_hint(format!("Search the {} for one word of the name", object.plural)),
            [one] => error.with_hint(format!("Did you mean {one}?")),
            several => error.with_hint(format!("Did you mean one of these? {}", several.join(", "))),
        }
    }
}

/// What tells records of one name apart: what they are, whose, and since when.
pub(crate) fn telling(object: &ObjectType) -> Vec<String> {
    let names: &[&str] = match object.name.as_str() {
        "contacts" => &["jobtitle", "company", "email"],
        "companies" => &["domain", "city"],
        "deals" => &["dealstage", "amount", "deal_currency_code"],
        "tickets" | "leads" => &["hs_pipeline_stage"],
        "tasks" => &["hs_timestamp", "hs_task_status"],
        "notes" | "calls" | "meetings" | "emails" | "communications" => &["hs_timestamp"],
        "quotes" => &["hs_quote_amount", "hs_status", "hs_currency"],
        _ => return object.columns.iter().skip(1).take(2).cloned().collect(),
    };
    let whose = if object.is_owned() && !object.is_activity() { Some(OWNER) } else { None };
    let since = if object.is_activity() { None } else { Some(object.created()) };
    names.iter().copied().chain(whose).chain(since).map(str::to_owned).collect()
}

/// What some of these properties say of a record, in words.
pub(crate) fn told_by(values: &Values, record: &Record, columns: &[String]) -> Vec<String> {
    let created = values.fields.object.created();
    let told = columns.iter().filter(|column| !CURRENCIES.contains(&column.as_str())).map(|column| {
        let cell = values.cell(record, column);
        match column.as_str() {
            _ if cell.is_empty() => cell,
            OWNER => format!("owner {cell}"),
            // The day is enough.
            name if name == created => format!("since {}", cell.get(..10).unwrap_or(&cell)),
            _ => cell,
        }
    });
    told.filter(|cell| !cell.is_empty()).collect()
}

/// What a word says without the object before it, as replies write it: `companies:201`, `company 201`.
fn bare<'a>(object: &ObjectType, word: &'a str) -> &'a str {
    let is_own = |named: &str| {
        let named = fold(named);
        named == object.id || object.names().iter().any(|name| fold(name) == named)
    };
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let after_colon =
        || word.split_once(':').filter(|(named, rest)| is_own(named) && !rest.starts_with("//"));
    let before_id = || word.rsplit_once(' ').filter(|(named, id)| is_own(named.trim()) && is_id(id));
    after_colon().or_else(before_id).map_or(word, |(_, rest)| rest.trim())
}

/// Whether a record is called so, or nearly.
fn is_like(object: &ObjectType, record: &Record, word: &str) -> bool {
    let own = RecordRef { object: object.clone(), record: record.clone(), note: "" };
    let wanted = fold(word);
    own.names().iter().any(|name| !name.is_empty() && fold(name).contains(&wanted))
}

/// A domain as it is compared: in one case, without `www.`.
pub(crate) fn bare_domain(domain: &str) -> String {
    let lower = domain.trim().to_lowercase();
    let lower = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
    let lower = lower.split('/').next().unwrap_or_default();
    lower.strip_prefix("www.").unwrap_or(lower).to_owned()
}

/// Whether a company has this domain, as its first one or as another.
pub(crate) fn has_domain(record: &Record, domain: &str) -> bool {
    let wanted = bare_domain(domain);
    let more = record.get(ADDITIONAL_DOMAINS).split(';');
    more.chain([record.get("domain")]).any(|own| !own.is_empty() && bare_domain(own) == wanted)
}

fn absent(object: &ObjectType, word: &str) -> Error {
    Error::not_found(format!("There is no {} `{}`", object.singular, one_line(word)))
        .with_hint(format!("Search the {} for one word of the name", object.plural))
}
