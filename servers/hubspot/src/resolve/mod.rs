//! Names in, names out: objects, properties, owners, pipelines and stages, records, by whatever people call them.
//! What describes records is cached by the pipeline for ten minutes.

mod fields;
mod objects;
mod records;
mod state;

use std::{borrow::Cow, sync::Arc};

use connector::{
    Error, Kind, Result,
    catalog::{
        Calendar, minute, minute_in,
        names::{Directories, Entry, Reading, find},
        one_line,
    },
};

use jiff::{Timestamp, tz::TimeZone};

pub(crate) use fields::{
    CALL_DURATION, Fields, OPTIONS, REMINDERS, days, is_nobody, midnight, moment, option, quantity, range,
    reminder, shown_options, switch, to_come, words as values,
};
pub(crate) use objects::{ObjectType, standard_names};
pub(crate) use records::{RecordRef, SECONDARY, SHARED_DOMAIN, bare_domain, has_domain, telling, told_by};
pub(crate) use state::State;

use crate::{
    api::{
        Api,
        account::Account,
        associations,
        definitions::{AssociationType, Owner, Pipeline, Property, Stage},
    },
    overlay::RecentWrites,
    redact::Redacted,
};

/// The account's names.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    api: Api,
    directories: Arc<Directories>,
    redacted: Redacted,
    recent: Arc<RecentWrites>,
}

impl Names {
    /// The names behind `api`; values of properties that are `redacted` are not told with them. What was written
    /// `recent`ly has its name at once.
    pub(crate) fn new(api: Api, redacted: Redacted, recent: Arc<RecentWrites>) -> Self {
        Self { api, directories: Arc::default(), redacted, recent }
    }

    /// The standard object whose plural in the API is `name`.
    pub(crate) fn standard(&self, name: &str) -> Option<ObjectType> {
        ObjectType::named(name).map(|object| object.without(&self.redacted))
    }

    /// The type of records that `word` means.
    pub(crate) async fn object(&self, word: &str) -> Result<ObjectType> {
        // Its exact name in the API means the standard object, whatever else is called so.
        if let Some(object) = self.standard(word.trim()) {
            return Ok(object);
        }
        let schemas = match self.api.schemas().await {
            Ok(schemas) => schemas,
            // Without the right, or in a plan without custom objects, there are none to be known.
            Err(error) if matches!(error.kind(), Kind::Permission | Kind::NotFound) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(objects::object(word, &schemas)?.without(&self.redacted))
    }

    /// The account's own objects; none where they may not be seen.
    pub(crate) async fn custom(&self) -> Vec<ObjectType> {
        let schemas = self.api.schemas().await.unwrap_or_default();
        schemas.iter().map(|schema| ObjectType::custom(schema).without(&self.redacted)).collect()
    }

    /// The fields of an object: its properties, and what their values mean.
    pub(crate) async fn fields(&self, object: &ObjectType) -> Result<Fields> {
        let properties = self.api.properties(object).await?;
        let mut object = object.clone();
        // Whether an account's own objects have stages only their properties say.
        let has = |name: &str| properties.iter().any(|property| property.name == name);
        let (pipeline, stage) = objects::STAGED;
        if object.stage.is_none() && has(pipeline) && has(stage) {
            object.stage = Some(objects::STAGED);
            if object.custom {
                object.columns.push(stage.to_owned());
            }
        }
        Ok(Fields::new(object, properties))
    }

    /// The account; a plain one if it may not be seen.
    pub(crate) async fn account(&self) -> Result<Account> {
        match self.api.account().await {
            Err(error) if error.kind() == Kind::Permission => Ok(Account::default()),
            account => account,
        }
    }

    /// Days and times as the account's zone has them.
    pub(crate) async fn calendar(&self) -> Result<Calendar> {
        let account = self.account().await?;
        Ok(Calendar::new(Some(account.time_zone.as_str())))
    }

    /// The account's time zone.
    pub(crate) async fn zone(&self) -> Result<TimeZone> {
        let account = self.account().await?;
        Ok(TimeZone::get(&account.time_zone).unwrap_or(TimeZone::UTC))
    }

    /// A moment as the account's clocks show it, with the zone where they are another than UTC's.
    pub(crate) async fn told(&self, moment: &str) -> Result<String> {
        let account = self.account().await?;
        let at = moment.parse::<Timestamp>().ok();
        Ok(match (at, TimeZone::get(&account.time_zone)) {
            (Some(at), Ok(zone)) => {
                format!("{} ({})", minute_in(at, &zone), account.time_zone)
            }
            _ => minute(moment),
        })
    }

    /// Everybody who owns records; nobody if that may not be seen.
    pub(crate) async fn owners(&self) -> Result<Vec<Owner>> {
        match self.api.owners().await {
            Err(error) if error.kind() == Kind::Permission => Ok(Vec::new()),
            owners => owners,
        }
    }

    /// The owner that `word` means: a name, an address, an id, or `me`.
    pub(crate) async fn owner(&self, word: &str) -> Result<Owner> {
        if matches!(word.trim().to_lowercase().as_str(), "me" | "@me") {
            return self.me().await;
        }
        let found = self
            .directories
            .find("owners", word, |reading| async move {
                if reading == Reading::Anew {
                    self.api.upstream().invalidate(&["owners".into()]);
                }
                self.api.owners().await
            })
            .await;
        match (found, word.trim().parse::<f64>()) {
            // The numbers of users and of owners are easily taken for one another.
            (Err(error), Ok(user)) if error.kind() == Kind::NotFound => {
                let owners = self.api.owners().await?;
                let own = owners.iter().find(|owner| {
                    owner.user_id == Some(user) || owner.user_id_including_inactive == Some(user)
                });
                Err(match own {
                    Some(owner) => error.with_hint(format!(
                        "{} is the user {}, whose id as an owner is {}",
                        word.trim(),
                        one_line(&owner.shown()),
                        owner.id
                    )),
                    None => error,
                })
            }
            (found, _) => found,
        }
    }

    /// Whoever the credential belongs to.
    pub(crate) async fn me(&self) -> Result<Owner> {
        let user = self.api.token_known().await.map_err(|error| match error.kind() {
            Kind::InvalidArgument | Kind::NotFound => {
                Error::invalid("HubSpot does not tell who a service key belongs to")
                    .with_hint("Give a name or an e-mail address instead of `me`; find_owners lists them")
            }
            _ => error,
        })?;
        let owners = self.api.owners().await?;
        let own = owners.into_iter().find(|owner| owner.user_id == Some(user.user_id));
        own.ok_or_else(|| {
            Error::not_found("The credential's user owns no records")
                .with_hint("Give a name or an e-mail address instead of `me`; find_owners lists them")
        })
    }

    /// Whose a new record is unless its owner is named: the credential's user, if HubSpot tells who that is.
    pub(crate) async fn author(&self) -> Result<Option<Owner>> {
        match self.me().await {
            Ok(owner) if !owner.archived => Ok(Some(owner)),
            Ok(_) => Ok(None),
            Err(error)
                if matches!(error.kind(), Kind::InvalidArgument | Kind::NotFound | Kind::Permission) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The pipelines of an object, which has stages.
    pub(crate) async fn pipelines(&self, object: &ObjectType) -> Result<Vec<Pipeline>> {
        self.api.pipelines(object).await
    }

    /// The pipeline that `word` means.
    pub(crate) async fn pipeline(&self, object: &ObjectType, word: &str) -> Result<Pipeline> {
        let pipelines = self.pipelines(object).await?;
        Ok(find(word, &pipelines)?.clone())
    }

    /// The stage that `word` means, in `pipeline` if it is given; a label of several pipelines is asked back. `won` is
    /// the only stage that is, whatever it is called.
    pub(crate) async fn stage(
        &self,
        object: &ObjectType,
        word: &str,
        pipeline: Option<&str>,
    ) -> Result<StageOf> {
        let mut pipelines = self.pipelines(object).await?;
        if let Some(wanted) = pipeline {
            pipelines = vec![find(wanted, &pipelines)?.clone()];
        }
        let stages: Vec<StageOf> = pipelines
            .into_iter()
            .flat_map(|pipeline| {
                let bare = Pipeline { stages: Vec::new(), ..pipeline.clone() };
                pipeline.stages.into_iter().map(move |stage| StageOf { stage, pipeline: bare.clone() })
            })
            .collect();
        // The beginning of a label that only one stage has is enough; a label in two pipelines is not.
        match (find(word, &stages), State::named(word)) {
            (Ok(found), _) => Ok(found.clone()),
            (Err(miss), None) => Err(miss.into()),
            (Err(miss), Some(state)) => {
                let mut fitting = stages.iter().filter(|one| state.has(&one.stage));
                match (fitting.next(), fitting.next()) {
                    (Some(only), None) => Ok(only.clone()),
                    _ => Err(miss.into()),
                }
            }
        }
    }

    /// What an association from one object to another is, by its label; none for one without.
    pub(crate) async fn label(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        word: &str,
    ) -> Result<AssociationType> {
        let types = self.api.association_types(from, to).await?;
        let labelled: Vec<AssociationType> = types
            .into_iter()
            .filter(|kind| kind.label.as_deref().is_some_and(|label| !label.is_empty()))
            .collect();
        Ok(find(word, &labelled)
            .map_err(|miss| miss.place(format!("from {} to {}", from.plural, to.plural)))?
            .clone())
    }

    /// The type of an association without a label.
    pub(crate) async fn unlabelled(&self, from: &ObjectType, to: &ObjectType) -> Result<AssociationType> {
        let types = self.api.association_types(from, to).await?;
        let plain = types.into_iter().find(|kind| kind.label.as_deref().is_none_or(str::is_empty));
        plain.ok_or_else(|| Error::invalid(format!("{} and {} cannot be associated", from.plural, to.plural)))
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }
}

/// A stage, and the pipeline it is in.
#[derive(Clone, Debug)]
pub(crate) struct StageOf {
    pub(crate) stage: Stage,
    pub(crate) pipeline: Pipeline,
}

impl Entry for StageOf {
    const WHAT: &'static str = "stage";

    fn id(&self) -> &str {
        &self.stage.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![(&self.stage.label).into()]
    }

    fn describe(&self) -> String {
        format!("{} in {} ({})", one_line(&self.stage.label), one_line(&self.pipeline.label), self.stage.id)
    }
}

impl Entry for Pipeline {
    const WHAT: &'static str = "pipeline";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        // As people say it, too.
        vec![(&self.label).into(), format!("{} pipeline", self.label).into()]
    }

    fn describe(&self) -> String {
        format!("{} ({})", one_line(&self.label), self.id)
    }
}

impl Entry for Owner {
    const WHAT: &'static str = "owner";
    const CHOOSE: &'static str = "Ask the person which";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let mut names: Vec<Cow<'_, str>> = vec![self.name().into(), (&self.email).into()];
        if let Some((local, _)) = self.email.split_once('@') {
            names.push(local.into());
        }
        names
    }

    fn full_name(&self) -> Option<&str> {
        (!self.first_name.is_empty()).then_some(self.first_name.as_str())
    }

    fn describe(&self) -> String {
        let teams = self.teams.iter().map(|team| format!(", {}", one_line(&team.name)));
        format!("{} <{}> ({}{})", one_line(&self.shown()), self.email, self.id, teams.collect::<String>())
    }
}

impl Entry for AssociationType {
    const WHAT: &'static str = "label";

    fn id(&self) -> &str {
        ""
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.label.as_deref().map(Cow::Borrowed).into_iter().collect()
    }

    fn describe(&self) -> String {
        one_line(self.label.as_deref().unwrap_or_default())
    }
}

impl Entry for Property {
    const WHAT: &'static str = "field";

    fn id(&self) -> &str {
        &self.name
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        vec![(&self.name).into(), (&self.label).into()]
    }

    fn describe(&self) -> String {
        format!("{} ({})", self.name, one_line(&self.label))
    }
}

/// The records at the other end of associations, by the id at this end.
pub(crate) fn targets(rows: &[associations::Associated], id: &str) -> Vec<associations::Target> {
    rows.iter().filter(|row| row.from.id == id).flat_map(|row| row.to.clone()).collect()
}
