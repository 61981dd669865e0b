//! What stands beside the records that an activity is on, and is shown neither the activity by HubSpot nor it by the
//! activity: companies of people, open deals of companies.

use connector::{
    Result,
    catalog::{Call, words},
};

use crate::{
    HubSpot,
    api::objects::{MAX_BATCH, Record},
    resolve::{ObjectType, RecordRef, targets},
};

/// How many records are named.
const NAMED: usize = 6;

/// The records beside those that an activity is on.
#[derive(Debug, Default)]
pub(super) struct Beside {
    companies: Vec<RecordRef>,
    deals: Vec<RecordRef>,
    /// Which contact is of which companies, by ids.
    of: Vec<(String, Vec<String>)>,
}

impl Beside {
    /// Those beside `about`. What this credential may not see is not told of.
    pub(super) async fn read(call: &Call<HubSpot>, about: &[RecordRef]) -> Self {
        Self::try_read(call, about).await.unwrap_or_default()
    }

    async fn try_read(call: &Call<HubSpot>, about: &[RecordRef]) -> Result<Self> {
        let mut beside = Self::default();
        let of = |name: &str| call.names().standard(name);
        let (Some(companies), Some(deals)) = (of("companies"), of("deals")) else {
            return Ok(beside);
        };
        let mut employers: Vec<String> = Vec::new();
        for one in
            about.iter().filter(|one| ["contacts", "deals", "tickets"].contains(&one.object.name.as_str()))
        {
            let ids = linked(call, &one.object, &[one.id().to_owned()], &companies).await?;
            if one.object.name == "contacts" {
                employers.extend(ids.iter().cloned());
                beside.of.push((one.id().to_owned(), ids.clone()));
            }
            let new = ids.into_iter().filter(|id| beside.companies.iter().all(|known| known.id() != id));
            let new: Vec<String> = new.collect();
            beside.companies.extend(named(call, &companies, &new).await?);
        }
        // Whoever names a deal means that one.
        if about.iter().any(|one| one.object.name == "deals") {
            return Ok(beside);
        }
        let mut open: Vec<String> = Vec::new();
        for (object, ids) in [
            (of("contacts"), ids_of(about, "contacts")),
            (Some(companies), [ids_of(about, "companies"), employers].concat()),
        ] {
            if let (Some(object), false) = (object, ids.is_empty()) {
                open.extend(linked(call, &object, &ids, &deals).await?);
            }
        }
        open.sort_unstable();
        open.dedup();
        beside.deals = named(call, &deals, &open).await?;
        beside.deals.retain(|deal| deal.record.get(CLOSED) != "true");
        Ok(beside)
    }

    /// A record that the activity is on, a person with the companies they are of: `Ines Duarte (contact 105, Alder
    /// Foods)`.
    pub(super) fn shown(&self, record: &RecordRef) -> String {
        let shown = record.shown();
        let of = self.of.iter().find(|(id, _)| record.object.name == "contacts" && id == record.id());
        let companies = of.iter().flat_map(|(_, ids)| ids);
        let companies = companies.filter_map(|id| self.companies.iter().find(|company| company.id() == id));
        let companies: Vec<String> = companies.map(RecordRef::title).collect();
        match (shown.strip_suffix(')'), companies.is_empty()) {
            (Some(start), false) => format!("{start}, {})", words::listed(&companies, 2)),
            _ => shown,
        }
    }

    /// What the activity is not on, if there is anything.
    pub(super) fn not_on(&self, about: &[RecordRef]) -> Option<String> {
        let on =
            |other: &RecordRef| about.iter().any(|one| one.object == other.object && one.id() == other.id());
        let all = self.companies.iter().chain(&self.deals).filter(|other| !on(other));
        let all: Vec<String> = all.map(RecordRef::shown).collect();
        (!all.is_empty())
            .then(|| format!("not on {}; associate_records adds it there", words::listed(&all, NAMED)))
    }
}

/// The property that says whether a deal is closed.
const CLOSED: &str = "hs_is_closed";

fn ids_of(about: &[RecordRef], object: &str) -> Vec<String> {
    about.iter().filter(|one| one.object.name == object).map(|one| one.id().to_owned()).collect()
}

/// That the messages of conversations stand nowhere beside a record, and what reads them.
pub(super) fn conversations(call: &Call<HubSpot>) -> &'static str {
    if call.offers("read_conversations") {
        "messages of conversations are not included: read_conversations has them"
    } else {
        "without conversations: the toolset `conversations` is off"
    }
}

/// The ids of the records of type `to` that `ids` are associated with.
pub(super) async fn linked(
    call: &Call<HubSpot>,
    from: &ObjectType,
    ids: &[String],
    to: &ObjectType,
) -> Result<Vec<String>> {
    let rows = call.api().associated(from, ids, to).await?;
    let mut all: Vec<String> =
        ids.iter().flat_map(|id| targets(&rows, id)).map(|target| target.to_object_id).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// The records of these ids, as far as there are any, with what people know them by: a hundred in a request.
pub(super) async fn named(
    call: &Call<HubSpot>,
    object: &ObjectType,
    ids: &[String],
) -> Result<Vec<RecordRef>> {
    let mut properties = object.title_properties();
    if object.name == "deals" {
        properties.push(CLOSED.to_owned());
    }
    let mut records: Vec<Record> = Vec::new();
    for some in ids.chunks(MAX_BATCH) {
        records.extend(call.api().read_records(object, some, None, &properties, &[]).await?.results);
    }
    Ok(records.into_iter().map(|record| RecordRef { object: object.clone(), record, note: "" }).collect())
}
