//! What Salesforce's answers say of the org's quota.
//!
//! Promises: pure; a header or body that does not read as documented says nothing.
//! Leaves to others: what to do about it (`core::dispatch::quota`).

use std::collections::BTreeMap;

use serde::Deserialize;
use syncline_core::outcome::{LimitReport, Verdict};

use super::config::DAY;
use crate::systems::answers;
use crate::transport::HttpResponse;

/// The org's API requests of the last 24 hours, from `Sforce-Limit-Info: api-usage=18/5000; …`.
#[must_use]
pub fn from_headers(response: &HttpResponse) -> Option<LimitReport> {
    let usage = response.header("sforce-limit-info")?.split(';').find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, limit) = usage.split_once('/')?;
    Some(LimitReport { pool: DAY.to_owned(), limit: limit.trim().parse().ok()?, used: used.trim().parse().ok()? })
}

/// A verdict that holds nothing but the quota.
#[must_use]
pub fn verdict(response: &HttpResponse) -> Verdict {
    Verdict { limits: from_headers(response).into_iter().collect(), ..Verdict::default() }
}

#[derive(Deserialize)]
struct Allowance {
    #[serde(rename = "Max")]
    max: u64,
}

/// The org's limit of API requests, from the limits resource.
#[must_use]
pub fn from_resource(response: &HttpResponse) -> Option<u64> {
    let mut all = answers::json::<BTreeMap<String, serde_json::Value>>(response).ok()?;
    serde_json::from_value::<Allowance>(all.remove("DailyApiRequests")?).ok().map(|allowance| allowance.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> Option<(u64, u64)> {
        let headers = BTreeMap::from([("sforce-limit-info".to_owned(), value.to_owned())]);
        from_headers(&HttpResponse { status: 200, headers, body: Vec::new() }).map(|report| (report.used, report.limit))
    }

    #[test]
    fn usage_is_read_from_the_header_and_nonsense_is_not() {
        assert_eq!(said("api-usage=18/5000"), Some((18, 5000)));
        assert_eq!(said("api-usage=25/5000; per-app-api-usage=17/250(appName=my-app)"), Some((25, 5000)));
        assert_eq!(said("per-app-api-usage=17/250(appName=my-app); api-usage=25/5000"), Some((25, 5000)));
        assert_eq!(said("api-usage=many/5000"), None);
        assert_eq!(said("api-usage"), None);
        assert_eq!(said(""), None);
    }

    #[test]
    fn the_limit_is_read_from_the_resource() {
        let body =
            br#"{"PermissionSets":{"Max":1500,"CreateCustom":{"Max":1}},"DailyApiRequests":{"Max":100000,"Remaining":99871}}"#;
        let mut response = HttpResponse { status: 200, headers: BTreeMap::new(), body: body.to_vec() };
        assert_eq!(from_resource(&response), Some(100_000));
        response.body = b"<html>".to_vec();
        assert_eq!(from_resource(&response), None);
    }
}
