//! The state of the pipelines to the vendor, read whenever somebody asks. Of several pipelines (a credential each) the
//! sums are told: which credential is which is nobody's business here.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType::{self, Counter, Gauge},
};

use crate::upstream::{BreakerState, BucketStatus, Counts, Status, Upstream};

/// All pipelines to one vendor.
#[derive(Debug)]
pub(super) struct Pipelines(pub(super) Upstream);

impl Collector for Pipelines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.0.statuses();
        let mut out = Out(&mut encoder);
        let sum =
            |count: fn(&Counts) -> u64| all.iter().map(|status| count(&status.counts)).sum::<u64>() as f64;
        let count = |is: fn(&Status) -> bool| all.iter().filter(|status| is(status)).count() as f64;
        let total = |part: fn(&Status) -> usize| all.iter().map(part).sum::<usize>() as f64;

        out.one(
            Counter,
            "connector_upstream_retries",
            "Requests that were sent again",
            sum(|counts| counts.retries),
        )?;
        out.one(
            Counter,
            "connector_upstream_rate_limited",
            "Requests refused for our pace, by the vendor or by ourselves",
            sum(|counts| counts.rate_limited),
        )?;
        out.one(
            Counter,
            "connector_upstream_drift",
            "Places where an answer was not as expected, and was read all the same",
            sum(|counts| counts.drift),
        )?;
        out.each(
            Counter,
            "connector_upstream_cache_lookups",
            "Answers that may be kept, by whether they were",
            "result",
            [("hit", sum(|counts| counts.cache_hits)), ("miss", sum(|counts| counts.cache_misses))],
        )?;
        out.one(
            Gauge,
            "connector_upstream_cache_entries",
            "Answers kept",
            sum(|counts| counts.cache_entries),
        )?;
        out.each(
            Gauge,
            "connector_upstream_breaker_state",
            "Pipelines to the vendor, by the state of their breaker",
            "state",
            [
                ("closed", count(|status| matches!(status.breaker, BreakerState::Closed))),
                ("open", count(|status| matches!(status.breaker, BreakerState::Open(_)))),
                ("half_open", count(|status| matches!(status.breaker, BreakerState::HalfOpen))),
            ],
        )?;
        out.one(
            Gauge,
            "connector_upstream_credentials_refused",
            "Credentials that the vendor refused when they were last used",
            count(|status| status.credential_refused),
        )?;
        let (in_use, places) = (total(|status| status.in_use), total(|status| status.limit));
        out.one(Gauge, "connector_upstream_places_in_use", "Requests to the vendor under way", in_use)?;
        out.one(Gauge, "connector_upstream_places", "The most requests to the vendor at once", places)?;
        out.one(
            Gauge,
            "connector_upstream_places_in_use_ratio",
            "The share of the places for requests to the vendor that is in use, 0 to 1",
            in_use / places.max(1.0),
        )?;
        out.one(
            Gauge,
            "connector_upstream_places_waiting",
            "Requests to the vendor that wait for a place",
            total(|status| status.waiting),
        )?;
        // Of each budget the pipeline that has the least left: that one runs dry first.
        let mut buckets: Vec<&BucketStatus> = Vec::new();
        for bucket in all.iter().flat_map(|status| &status.buckets) {
            match buckets.iter_mut().find(|known| known.bucket == bucket.bucket) {
                Some(known) if left(bucket) < left(known) => *known = bucket,
                Some(_) => {}
                None => buckets.push(bucket),
            }
        }
        out.each(
            Gauge,
            "connector_upstream_budget_limit",
            "Units of the vendor's budget in a period, as told or published",
            "bucket",
            buckets.iter().map(|bucket| (bucket.bucket, f64::from(bucket.limit))),
        )?;
        out.each(
            Gauge,
            "connector_upstream_budget_remaining",
            "Units of the vendor's budget that are left, where the vendor told",
            "bucket",
            buckets.iter().filter_map(|bucket| Some((bucket.bucket, f64::from(bucket.remaining?)))),
        )?;
        out.each(
            Gauge,
            "connector_upstream_budget_paused_seconds",
            "How long nothing is sent yet after a refusal",
            "bucket",
            buckets
                .iter()
                .map(|bucket| (bucket.bucket, bucket.paused_for.map_or(0.0, |pause| pause.as_secs_f64()))),
        )
    }
}

fn left(bucket: &BucketStatus) -> u32 {
    bucket.remaining.unwrap_or(bucket.limit)
}

struct Out<'a, 'e>(&'a mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn one(&mut self, kind: MetricType, name: &str, help: &str, value: f64) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, kind)?;
        match kind {
            Counter => encoder.encode_counter::<NoLabelSet, _, f64>(&value, None),
            _ => encoder.encode_gauge(&value),
        }
    }

    fn each(
        &mut self,
        kind: MetricType,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'static str, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (word, value) in values {
            let labels = [(label, word)];
            let mut encoder = family.encode_family(&labels)?;
            match kind {
                Counter => encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)?,
                _ => encoder.encode_gauge(&value)?,
            }
        }
        Ok(())
    }
}
