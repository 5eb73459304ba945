//! `GET /metrics`: the running machine's figures as OpenMetrics text.
//!
//! Promises: every scrape reads the store and the lanes anew, so a figure is never older than the scrape; a store that does not
//! answer makes the scrape fail and nothing else. A token is needed where events need one.
//! Leaves to others: names and figures (`engine::metrics`).

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::metrics::{Figure, Gathered, Shape, Spread, figures, spreads};
use syncline_engine::ports::store::Store;

use super::problem::{Code, Problem};
use super::router::{Gate, RequestId};
use crate::run::Running;

/// How long the store may take to answer.
const STORE_TIME: Duration = Duration::from_secs(5);
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn scrape(State(gate): State<Arc<Gate>>, Extension(id): Extension<RequestId>, headers: HeaderMap) -> Response<Body> {
    if gate.tokens.bearer(&headers).is_none() {
        return Problem::from(Code::Unauthorized).response(&id.0);
    }
    let told = match crate::run::within(STORE_TIME, gather(&gate.running)).await {
        Some(Ok(gathered)) => text(Told { figures: figures(&gathered), spreads: spreads(&gathered) }),
        Some(Err(error)) => Err(error),
        None => Err(Error::new(Kind::StoreUnavailable, "the store does not answer")),
    };
    match told {
        Ok(text) => {
            let mut response = Response::new(Body::from(text));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            response
        }
        Err(error) => {
            tracing::warn!(error = %error, remedy = error.remedy(), "metrics could not be gathered");
            Problem::from(Code::StoreUnavailable).response(&id.0)
        }
    }
}

/// What the figures are made from.
async fn gather(running: &Running) -> Result<Gathered> {
    let store = &*running.store;
    let config = running.reloading.config();
    let mut gathered = Gathered {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        store: "sqlite".to_owned(),
        ledger: store.ledger().await?,
        lanes: running.statuses.iter().map(|status| status.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect(),
        reloads: running.reloading.figures(),
        store_bytes: store_bytes(&config.store_path()),
        measured: running.witness.measured(),
        ..Gathered::default()
    };
    for system in &config.systems {
        let number = running.numbers.get(&system.name).copied().unwrap_or_default();
        if system.kind.agreed().is_some() {
            gathered.systems.insert(number, system.name.clone());
            gathered.states.insert(number, store.states(syncline_core::ids::SystemId(number)).await?);
        }
        if system.kind.source().is_some() {
            gathered.sources.insert(number, system.name.clone());
        }
    }
    Ok(gathered)
}

/// The size of the database and of what was not yet merged into it.
fn store_bytes(path: &std::path::Path) -> u64 {
    let size = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(name).map_or(0, |metadata| metadata.len())
    };
    size("") + size("-wal")
}

/// Figures on their way into the format.
#[derive(Debug)]
struct Told {
    figures: Vec<Figure>,
    spreads: Vec<Spread>,
}

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::result::Result<(), fmt::Error> {
        for of_metric in self.figures.chunk_by(|a, b| a.metric == b.metric) {
            let Some(metric) = of_metric.first().map(|figure| figure.metric) else { continue };
            let kind = match metric.shape {
                Shape::Counter => MetricType::Counter,
                Shape::Gauge => MetricType::Gauge,
                Shape::Histogram => continue,
            };
            let mut family = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            if let ([figure], true) = (of_metric, metric.labels.is_empty()) {
                ConstGauge::new(figure.value).encode(family)?;
                continue;
            }
            for figure in of_metric {
                let labels: Vec<(&str, &str)> = metric.labels.iter().copied().zip(figure.labels.iter().map(String::as_str)).collect();
                let one = family.encode_family(&labels)?;
                match metric.shape {
                    Shape::Counter => ConstCounter::new(figure.value).encode(one)?,
                    Shape::Gauge => ConstGauge::new(figure.value).encode(one)?,
                    Shape::Histogram => {}
                }
            }
        }
        for of_metric in self.spreads.chunk_by(|a, b| a.metric == b.metric) {
            let Some(metric) = of_metric.first().map(|spread| spread.metric) else { continue };
            let mut family = encoder.encode_descriptor(metric.name, metric.help, None, MetricType::Histogram)?;
            for Spread { labels, histogram, .. } in of_metric {
                let labels: Vec<(&str, &str)> = metric.labels.iter().copied().zip(labels.iter().map(String::as_str)).collect();
                let mut one = if labels.is_empty() { None } else { Some(family.encode_family(&labels)?) };
                match &mut one {
                    Some(one) => one.encode_histogram::<NoLabelSet>(histogram.sum(), histogram.count(), &histogram.ranges(), None)?,
                    None => family.encode_histogram::<NoLabelSet>(histogram.sum(), histogram.count(), &histogram.ranges(), None)?,
                }
            }
        }
        Ok(())
    }
}

/// Figures as OpenMetrics text.
fn text(told: Told) -> Result<String> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(told));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Error::new(Kind::Internal, "the metrics cannot be written").caused_by(error))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use syncline_engine::metrics::{BUILD_INFO, DELIVERIES_CLOSED, LETTERS};

    use super::*;

    #[test]
    fn figures_are_told_as_open_metrics() {
        let figure = |metric, labels: &[&str], value| Figure { metric, labels: labels.iter().map(|label| (*label).to_owned()).collect(), value };
        let figures = vec![
            figure(BUILD_INFO, &["0.1.0", "sqlite"], 1.0),
            figure(DELIVERIES_CLOSED, &["crm", "applied"], 7.0),
            figure(DELIVERIES_CLOSED, &["crm \"b\"", "dead"], 0.0),
            figure(LETTERS, &[], 2.0),
        ];
        let told = text(Told { figures, spreads: Vec::new() }).unwrap();
        assert_eq!(
            told,
            "# HELP syncline_build_info Which release runs, with which store; always 1\n\
             # TYPE syncline_build_info gauge\n\
             syncline_build_info{version=\"0.1.0\",store=\"sqlite\"} 1.0\n\
             # HELP syncline_events_terminal Deliveries of a system closed, by how they ended\n\
             # TYPE syncline_events_terminal counter\n\
             syncline_events_terminal_total{connection=\"crm\",outcome=\"applied\"} 7.0\n\
             syncline_events_terminal_total{connection=\"crm \\\"b\\\"\",outcome=\"dead\"} 0.0\n\
             # HELP syncline_dead_letters Dead letters that wait\n\
             # TYPE syncline_dead_letters gauge\n\
             syncline_dead_letters 2.0\n\
             # EOF\n"
        );
    }
}
