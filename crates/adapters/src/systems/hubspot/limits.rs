//! What HubSpot's answers say of the account's quota.
//!
//! Promises: pure; headers that are missing or do not read as documented say nothing (a search has none).
//! Leaves to others: what to do about it (`core::dispatch::quota`).

use std::time::Duration;

use syncline_core::outcome::{LimitReport, Verdict};

use super::config::{BURST, DAY};
use crate::transport::HttpResponse;

/// The pools that the answer's headers tell of.
#[must_use]
pub fn from_headers(response: &HttpResponse) -> Vec<LimitReport> {
    let figure = |name: &str| response.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let pool = |pool: &str, limit: &str, remaining: &str| {
        let limit = figure(limit)?;
        Some(LimitReport { pool: pool.to_owned(), limit, used: limit.saturating_sub(figure(remaining)?) })
    };
    let burst = pool(BURST, "x-hubspot-ratelimit-max", "x-hubspot-ratelimit-remaining");
    let day = pool(DAY, "x-hubspot-ratelimit-daily", "x-hubspot-ratelimit-daily-remaining");
    burst.into_iter().chain(day).collect()
}

/// A verdict that holds nothing but the quota.
#[must_use]
pub fn verdict(response: &HttpResponse) -> Verdict {
    Verdict { limits: from_headers(response), ..Verdict::default() }
}

/// The length of the burst's window.
#[must_use]
pub fn interval(response: &HttpResponse) -> Option<Duration> {
    response.header("x-hubspot-ratelimit-interval-milliseconds")?.trim().parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_read_from_whichever_headers_are_there() {
        let headers = [
            ("x-hubspot-ratelimit-daily", "250000"),
            ("x-hubspot-ratelimit-daily-remaining", "249312"),
            ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
            ("x-hubspot-ratelimit-max", "100"),
            ("x-hubspot-ratelimit-remaining", "96"),
        ];
        let mut response = HttpResponse { status: 200, ..HttpResponse::default() };
        response.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let told: Vec<(String, u64, u64)> =
            from_headers(&response).into_iter().map(|report| (report.pool, report.used, report.limit)).collect();
        assert_eq!(told, [(BURST.to_owned(), 4, 100), (DAY.to_owned(), 688, 250_000)]);
        assert_eq!(interval(&response), Some(Duration::from_secs(10)));
        response.headers.insert("x-hubspot-ratelimit-max".to_owned(), "lots".to_owned());
        assert_eq!(from_headers(&response).len(), 1);
        assert_eq!(from_headers(&HttpResponse::default()), []);
    }
}
