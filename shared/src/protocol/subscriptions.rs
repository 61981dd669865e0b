//! Subscriptions to resources, in both eras: a modern one is a stream that lasts, a legacy one is asked
//! for and given up by two requests of a connection.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{ResourceUpdatedNotificationParam, SubscriptionFilter},
    service::SubscriptionContext,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Inner, answer,
    polls::{MAX_PER_SUBSCRIBER, Mailbox, Subscription, too_many},
    principal,
};
use crate::{Connector, Effect, Result, access::Principal};

/// The legacy subscriptions of one connection. They end with it.
#[derive(Default)]
pub(super) struct LegacySubscriptions(Mutex<Option<Legacy>>);

struct Legacy {
    mailbox: Arc<Mailbox>,
    watching: HashMap<String, Subscription>,
    _telling: AbortOnDropHandle<()>,
}

impl<S: Connector> Inner<S> {
    /// Whether a legacy client can subscribe: there is something to watch, and a way to tell it.
    pub(super) fn takes_legacy_subscriptions(&self) -> bool {
        self.reaches_legacy_clients && self.service.catalog().is_subscribable()
    }

    /// The part of a modern subscription that can ever have news: resources that are watched, as far as
    /// there is room. What is offered changes only with a new start, so there is nothing else.
    pub(super) fn accepted(&self, requested: &SubscriptionFilter) -> SubscriptionFilter {
        let wanted = requested.resource_subscriptions.iter().flatten().map(String::as_str);
        // Who asks is not known here: what they may not is left out when the subscription begins.
        let anybody = Principal::local();
        let admitted: BTreeSet<_> =
            wanted.filter(|uri| self.service.admits_subscription(&anybody, uri).is_ok()).collect();
        let uris = self.polls.room_for(admitted);
        let mut accepted = SubscriptionFilter::new();
        accepted.resource_subscriptions = (!uris.is_empty()).then_some(uris);
        accepted
    }

    /// Tells a modern client of changes, until it or this server ends the subscription.
    pub(super) async fn tell_of_changes(
        self: &Arc<Self>,
        subscription: SubscriptionContext,
    ) -> Result<(), ErrorData> {
        let who = principal(&subscription.request_context().extensions);
        let mailbox = Arc::new(Mailbox::default());
        let uris: BTreeSet<_> = subscription.accepted().resource_subscriptions.iter().flatten().collect();
        let watching: Result<Vec<_>> = uris
            .into_iter()
            .filter(|uri| self.service.admits_subscription(&who, uri).is_ok())
            .map(|uri| self.watch(&who, uri, &mailbox))
            .collect();
        // There was room when it was acknowledged: somebody was faster.
        let _watching = watching.map_err(|error| answer::protocol_error(&error))?;
        let telling = async {
            loop {
                let uri = mailbox.next().await;
                if subscription.sink().notify_resource_updated(&*uri).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.closing.cancelled() => {}
            () = subscription.cancelled() => {}
            () = telling => {}
        }
        Ok(())
    }

    /// Begins a legacy subscription. One that there is already begins anew.
    pub(super) fn subscribe(
        self: &Arc<Self>,
        connection: &LegacySubscriptions,
        who: &Principal,
        uri: &str,
        peer: Peer<RoleServer>,
    ) -> Result<()> {
        self.service.admits_subscription(who, uri)?;
        let mut legacy = connection.lock();
        let known = legacy.as_ref().is_some_and(|legacy| legacy.watching.contains_key(uri));
        if !known && legacy.as_ref().is_some_and(|legacy| legacy.watching.len() >= MAX_PER_SUBSCRIBER) {
            return Err(too_many(MAX_PER_SUBSCRIBER, "by one client"));
        }
        let mailbox = legacy.as_ref().map_or_else(Arc::default, |legacy| Arc::clone(&legacy.mailbox));
        let watching = self.watch(who, uri, &mailbox)?;
        let legacy = legacy.get_or_insert_with(|| {
            let telling = tokio::spawn(tell(Arc::clone(&mailbox), peer));
            Legacy { mailbox, watching: HashMap::new(), _telling: AbortOnDropHandle::new(telling) }
        });
        legacy.watching.insert(uri.to_owned(), watching);
        Ok(())
    }

    /// Looks at the resource with every guard that reading it has; no call, and not logged as one.
    fn watch(self: &Arc<Self>, who: &Principal, uri: &str, mailbox: &Arc<Mailbox>) -> Result<Subscription> {
        let (inner, principal, address) = (Arc::clone(self), who.clone(), Arc::<str>::from(uri));
        self.polls.subscribe(who, uri, mailbox, move || {
            let (inner, principal, address) = (Arc::clone(&inner), principal.clone(), Arc::clone(&address));
            async move {
                let version = inner.service.version(principal.clone(), &address);
                let looked = inner.guard.run(&principal, &inner.closing, version).await;
                looked.unwrap_or_else(|stopped| Err(stopped.into_error(Effect::Read)))
            }
        })
    }
}

impl LegacySubscriptions {
    /// Ends the subscription to `uri`, if there is one.
    pub(super) fn unsubscribe(&self, uri: &str) {
        let mut legacy = self.lock();
        if let Some(subscriptions) = legacy.as_mut() {
            subscriptions.watching.remove(uri);
            if subscriptions.watching.is_empty() {
                *legacy = None;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Legacy>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a legacy client of changes, until it has gone.
async fn tell(mailbox: Arc<Mailbox>, peer: Peer<RoleServer>) {
    loop {
        let changed = ResourceUpdatedNotificationParam::new(&*mailbox.next().await);
        if peer.notify_resource_updated(changed).await.is_err() {
            return;
        }
    }
}
