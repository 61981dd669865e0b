//! Records by what people call them: an id, an address in HubSpot, an e-mail address, a domain, a name.

use std::borrow::Cow;

use connector::{
    Error, Result,
    catalog::{
        names::{Entry, find},
        one_line,
    },
};
use url::Url;

use super::{Names, ObjectType};
use crate::{
    api::objects::{Filter, Record, Search},
    filter::ADDITIONAL_EMAILS,
    render::{Values, title},
};

/// How many records of a name are looked at.
const CANDIDATES: u32 = 20;

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
        format!("{} ({} {})", self.title(), self.object.singular, self.record.id)
    }
}

impl Entry for RecordRef {
    const WHAT: &'static str = "record";

    fn id(&self) -> &str {
        &self.record.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let all = self.object.titles.iter().map(|title| {
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

    fn id(&self) -> &str {
        Entry::id(&self.record)
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.record.names()
    }

    fn describe(&self) -> String {
        let shown = self.record.shown();
        format!("{}{})", shown.strip_suffix(')').unwrap_or(&shown), self.more)
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
        let word = word.trim();
        let word = match word.split_once([':', ' ']) {
            // `companies:201` where only `201` was asked for.
            Some((named, rest))
                if !word.contains("://")
                    && ObjectType::named(&named.to_lowercase()).as_ref() == Some(object) =>
            {
                rest.trim()
            }
            _ => word,
        };
        if word.contains("://") {
            let (other, id) = self.address(word).await?;
            if other != *object {
                return Err(Error::invalid(format!(
                    "The address is of one of the {}, not of the {}",
                    other.plural, object.plural
                )));
            }
            return self.by_id(object, &id).await;
        }
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.by_id(object, word).await;
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
            Error::invalid(format!("`{}` is no address of a record in this account: {why}", one_line(word)))
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
            [_, portal, "record", ..] => Err(foreign(&format!("it is of the account {portal}"))),
            _ => Err(foreign("it is none of a record")),
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
        let Some(object) = ObjectType::named("contacts") else { return Ok(Vec::new()) };
        let mut properties = properties.to_vec();
        properties.extend(["email", ADDITIONAL_EMAILS].map(str::to_owned));
        let clean: Vec<String> = emails.iter().map(|email| email.trim().to_lowercase()).collect();
        let batch = self.api().read_records(&object, &clean, Some("email"), &properties, &[]).await?;
        let mut found = Vec::new();
        for (asked, email) in emails.iter().zip(&clean) {
            let first = batch.results.iter().find(|record| record.get("email").eq_ignore_ascii_case(email));
            if let Some(record) = first {
                found.push((
                    asked.clone(),
                    Some(RecordRef { object: object.clone(), record: record.clone(), note: "" }),
                ));
                continue;
            }
            // A search looks where the batch does not: among the other addresses of a person.
            let search = Search {
                groups: vec![vec![Filter::value(ADDITIONAL_EMAILS, "CONTAINS_TOKEN", email.clone())]],
                properties: properties.clone(),
                limit: 10,
                ..Search::default()
            };
            let others = self.api().search(&object, &search).await?.results;
            let own = others.into_iter().find(|record| {
                record.get(ADDITIONAL_EMAILS).split(';').any(|one| one.trim().eq_ignore_ascii_case(email))
            });
            let own =
                own.map(|record| RecordRef { object: object.clone(), record, note: "secondary address" });
            found.push((asked.clone(), own));
        }
        Ok(found)
    }

    async fn by_name(&self, object: &ObjectType, word: &str) -> Result<RecordRef> {
        if word.is_empty() {
            return Err(Error::invalid(format!("Which of the {}? The name is empty", object.plural)));
        }
        let mut properties = object.title_properties();
        if object.name == "companies" {
            properties.push("domain".to_owned());
        }
        let columns: Vec<String> =
            object.stage.iter().map(|(_, stage)| (*stage).to_owned()).chain(["amount".to_owned()]).collect();
        if object.name == "deals" {
            properties.extend(columns.iter().cloned().chain(["deal_currency_code".to_owned()]));
        }
        let search = Search { query: word.to_owned(), properties, limit: CANDIDATES, ..Search::default() };
        let found = self.api().search(object, &search).await?;
        let candidates: Vec<RecordRef> = found
            .results
            .into_iter()
            .map(|record| RecordRef { object: object.clone(), record, note: "" })
            .collect();
        if candidates.is_empty() {
            return Err(absent(object, word));
        }
        match find(word, &candidates) {
            Ok(found) => Ok(found.clone()),
            Err(miss) if object.name != "deals" => Err(miss.into()),
            Err(_) => {
                // Which of several deals is meant nobody tells by their names alone.
                let fields = self.fields(object).await?;
                let values = Values::read(self, fields, &columns, &self.redacted).await?;
                let told = candidates.into_iter().map(|record| {
                    let cells = columns.iter().map(|column| values.cell(&record.record, column));
                    let cells = cells.filter(|cell| !cell.is_empty()).map(|cell| format!(", {cell}"));
                    Candidate { more: cells.collect(), record }
                });
                Ok(find(word, &told.collect::<Vec<_>>())?.record.clone())
            }
        }
    }
}

fn absent(object: &ObjectType, word: &str) -> Error {
    Error::not_found(format!("There is no {} `{}`", object.singular, one_line(word))).with_hint(format!(
        "Search the {} for a part of the name; new records can take a minute to be found by name",
        object.plural
    ))
}
