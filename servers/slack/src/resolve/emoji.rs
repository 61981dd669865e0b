//! Emoji by Slack's names: a character, a CLDR name, a skin tone or a name between colons is brought
//! into the form that reactions.add takes (docs.slack.dev/reference/methods/reactions.add).

use std::collections::BTreeMap;

use connector::{Error, Result, catalog::one_line};

/// Common emoji, each with Slack's name and other names it goes by.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("👍", "+1", &["thumbs_up", "thumbsup", "like"]),
    ("👎", "-1", &["thumbs_down", "thumbsdown"]),
    ("👋", "wave", &["waving_hand"]),
    ("👏", "clap", &["clapping_hands"]),
    ("🙏", "pray", &["folded_hands", "please", "thanks"]),
    ("🙌", "raised_hands", &["raising_hands"]),
    ("👌", "ok_hand", &[]),
    ("💪", "muscle", &["flexed_biceps"]),
    ("✌", "v", &["victory_hand"]),
    ("🤞", "crossed_fingers", &["fingers_crossed"]),
    ("🤝", "handshake", &[]),
    ("☝", "point_up", &["index_pointing_up"]),
    ("👇", "point_down", &["backhand_index_pointing_down"]),
    ("👉", "point_right", &["backhand_index_pointing_right"]),
    ("👀", "eyes", &[]),
    ("✅", "white_check_mark", &["check", "check_mark_button", "done"]),
    ("✔", "heavy_check_mark", &["check_mark"]),
    ("☑", "ballot_box_with_check", &["check_box_with_check"]),
    ("❌", "x", &["cross_mark"]),
    ("❗", "exclamation", &["red_exclamation_mark"]),
    ("❓", "question", &["red_question_mark"]),
    ("⚠", "warning", &[]),
    ("🚨", "rotating_light", &["police_car_light"]),
    ("🔥", "fire", &[]),
    ("🎉", "tada", &["party_popper"]),
    ("🎊", "confetti_ball", &[]),
    ("🥳", "partying_face", &[]),
    ("🚀", "rocket", &[]),
    ("🚢", "ship", &["shipit_boat"]),
    ("⭐", "star", &[]),
    ("🌟", "star2", &["glowing_star"]),
    ("✨", "sparkles", &[]),
    ("💡", "bulb", &["light_bulb"]),
    ("🐛", "bug", &[]),
    ("📌", "pushpin", &[]),
    ("📎", "paperclip", &[]),
    ("📝", "memo", &["pencil"]),
    ("📅", "date", &["calendar"]),
    ("⏳", "hourglass_flowing_sand", &["hourglass_not_done"]),
    ("⌛", "hourglass", &["hourglass_done"]),
    ("⏰", "alarm_clock", &[]),
    ("🔒", "lock", &["locked"]),
    ("🔑", "key", &[]),
    ("🔧", "wrench", &[]),
    ("📈", "chart_with_upwards_trend", &["chart_increasing"]),
    ("📉", "chart_with_downwards_trend", &["chart_decreasing"]),
    ("📊", "bar_chart", &[]),
    ("💯", "100", &["hundred_points"]),
    ("➕", "heavy_plus_sign", &["plus"]),
    ("➖", "heavy_minus_sign", &["minus"]),
    ("🆗", "ok", &[]),
    ("🛑", "octagonal_sign", &["stop_sign"]),
    ("🚧", "construction", &[]),
    ("🟢", "large_green_circle", &["green_circle"]),
    ("🟡", "large_yellow_circle", &["yellow_circle"]),
    ("🔴", "red_circle", &[]),
    ("❤", "heart", &["red_heart"]),
    ("💙", "blue_heart", &[]),
    ("💚", "green_heart", &[]),
    ("💔", "broken_heart", &[]),
    ("😀", "grinning", &["grinning_face"]),
    ("😄", "smile", &["grinning_face_with_smiling_eyes"]),
    ("🙂", "slightly_smiling_face", &[]),
    ("😉", "wink", &["winking_face"]),
    ("😂", "joy", &["face_with_tears_of_joy"]),
    ("🤣", "rolling_on_the_floor_laughing", &["rofl"]),
    ("😅", "sweat_smile", &["grinning_face_with_sweat"]),
    ("😊", "blush", &["smiling_face_with_smiling_eyes"]),
    ("😍", "heart_eyes", &["smiling_face_with_heart_eyes"]),
    ("😎", "sunglasses", &["smiling_face_with_sunglasses"]),
    ("🤔", "thinking_face", &["thinking"]),
    ("😐", "neutral_face", &[]),
    ("😕", "confused", &["confused_face"]),
    ("😢", "cry", &["crying_face"]),
    ("😭", "sob", &["loudly_crying_face"]),
    ("😡", "rage", &["pouting_face", "enraged_face"]),
    ("😱", "scream", &["face_screaming_in_fear"]),
    ("😮", "open_mouth", &["face_with_open_mouth"]),
    ("😴", "sleeping", &["sleeping_face"]),
    ("🤯", "exploding_head", &[]),
    ("🙈", "see_no_evil", &["see_no_evil_monkey"]),
    ("🤷", "shrug", &["person_shrugging"]),
    ("🤦", "face_palm", &["facepalm", "person_facepalming"]),
    ("💀", "skull", &[]),
    ("🤖", "robot_face", &["robot"]),
    ("🎯", "dart", &["bullseye"]),
    ("🏆", "trophy", &[]),
    ("🎂", "birthday", &["birthday_cake"]),
    ("☕", "coffee", &["hot_beverage"]),
    ("🍕", "pizza", &[]),
    ("🍻", "beers", &["clinking_beer_mugs"]),
    ("🌈", "rainbow", &[]),
    ("☀", "sunny", &["sun"]),
    ("🌴", "palm_tree", &[]),
    ("🌸", "cherry_blossom", &[]),
    ("📣", "mega", &["megaphone"]),
    ("💬", "speech_balloon", &[]),
    ("🙋", "raising_hand", &["person_raising_hand"]),
];

/// Skin tones, from light to dark, by Slack's numbers.
const TONES: [(char, u8); 5] =
    [('\u{1f3fb}', 2), ('\u{1f3fc}', 3), ('\u{1f3fd}', 4), ('\u{1f3fe}', 5), ('\u{1f3ff}', 6)];

/// Slack's name of the emoji that `text` means. `own` are the workspace's, with aliases as `alias:name`.
///
/// # Errors
/// `invalid_argument` for a character that is not known here, or a name of neither this table nor the
/// workspace that cannot be a standard one.
pub(crate) fn name(text: &str, own: &BTreeMap<String, String>) -> Result<String> {
    let word = text.trim().trim_matches(':');
    if word.is_empty() {
        return Err(Error::invalid("`emoji` is empty")
            .with_hint("Give a name such as white_check_mark, or the character"));
    }
    if !word.is_ascii() {
        let tone =
            word.chars().find_map(|c| TONES.iter().find(|(tone, _)| *tone == c)).map(|(_, number)| *number);
        let bare: String =
            word.chars().filter(|c| *c != '\u{fe0f}' && !TONES.iter().any(|(tone, _)| tone == c)).collect();
        // A person's emoji may go on with a joiner and a sign: man shrugging is the shrug.
        let first: String = bare.chars().take_while(|c| *c != '\u{200d}').collect();
        let known = TABLE.iter().find(|(character, ..)| *character == bare || *character == first);
        let (_, name, _) = known.ok_or_else(|| {
            Error::invalid(format!("The name of the emoji {} is not known here", one_line(word)))
                .with_hint("Give Slack's name for it, without colons")
        })?;
        return Ok(tone.map_or_else(|| (*name).to_owned(), |tone| format!("{name}::skin-tone-{tone}")));
    }
    let (base, tone) = word.split_once("::").map_or((word, ""), |(base, tone)| (base, tone));
    let base = base.trim_matches(':').to_lowercase().replace(' ', "_");
    let tone =
        if tone.is_empty() { String::new() } else { format!("::{}", tone.to_lowercase().replace('_', "-")) };
    if own.contains_key(&base) {
        return Ok(base);
    }
    let alias = TABLE.iter().find(|(_, name, others)| *name == base || others.contains(&base.as_str()));
    Ok(alias.map_or_else(|| format!("{base}{tone}"), |(_, name, _)| format!("{name}{tone}")))
}

/// The longest text that is compared with names.
const LONGEST: usize = 200;

/// The names nearest to one that Slack does not know.
pub(crate) fn nearest(name: &str, own: &BTreeMap<String, String>) -> Vec<String> {
    // What is longer than any emoji's name is near to none.
    if name.len() > LONGEST {
        return Vec::new();
    }
    let names = TABLE.iter().map(|(_, name, _)| (*name).to_owned()).chain(own.keys().cloned());
    let mut scored: Vec<(f64, String)> =
        names.map(|other| (strsim::jaro_winkler(name, &other), other)).collect();
    for (_, canonical, others) in TABLE {
        let best = others.iter().map(|other| strsim::jaro_winkler(name, other)).fold(0.0, f64::max);
        scored.push((best, (*canonical).to_owned()));
    }
    for score in &mut scored {
        let shared =
            score.1.split('_').filter(|part| name.split(['_', '-']).any(|word| word == *part)).count();
        score.0 += shared as f64 * 0.2;
    }
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    let mut near: Vec<String> = Vec::new();
    for (_, name) in scored {
        if !near.contains(&name) {
            near.push(name);
        }
    }
    near.truncate(3);
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_a_colon_name_a_cldr_name_and_a_skin_tone_are_slacks_name() {
        // https://github.com/gammons/slk/issues/65
        let own = BTreeMap::from([("party-parrot".to_owned(), "https://x".to_owned())]);
        for (given, expected) in [
            ("👍", "+1"),
            (":white_check_mark:", "white_check_mark"),
            ("thumbs_up", "+1"),
            ("👋🏽", "wave::skin-tone-4"),
            ("party-parrot", "party-parrot"),
            ("❤️", "heart"),
            ("🤷🏿‍♂️", "shrug::skin-tone-6"),
            ("wave::skin-tone-2", "wave::skin-tone-2"),
            ("Thumbs Up", "+1"),
        ] {
            assert_eq!(name(given, &own).unwrap(), expected, "{given}");
        }
        assert_eq!(name("white_tick", &own).unwrap(), "white_tick", "Slack knows more names than this table");
        assert!(
            nearest("white_tick", &own).contains(&"white_check_mark".to_owned()),
            "{:?}",
            nearest("white_tick", &own)
        );
        assert!(name("🪿", &own).is_err() && name("::", &own).is_err());
    }
}
