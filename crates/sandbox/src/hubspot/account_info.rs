//! The routes that tell which account this is and what it has used of its day.

use jiff::Timestamp;
use serde_json::json;

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::stamp;

/// `GET /account-info/v3/details`
pub(super) fn details(account: &Account, call: &Call<'_>) -> Outcome {
    let now = Timestamp::from_millisecond(call.now).unwrap_or(Timestamp::UNIX_EPOCH);
    let seconds = now.to_zoned(account.limits.zone.clone()).offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    Answer::json(
        200,
        &json!({
            "portalId": account.config.portal_id,
            "accountType": "STANDARD",
            "timeZone": account.config.time_zone,
            "companyCurrency": "EUR",
            "additionalCurrencies": [],
            "utcOffset": format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
            "utcOffsetMilliseconds": i64::from(seconds) * 1000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "eu1",
        }),
    )
}

/// `GET /account-info/v3/api-usage/daily/private-apps`
pub(super) fn api_usage(account: &mut Account, call: &Call<'_>) -> Outcome {
    let used = account.quota.day_used(&account.limits, call.now);
    let resets_at = account.quota.day_ends(&account.limits, call.now);
    Answer::json(
        200,
        &json!({"results": [{
            "name": "private-apps-api-calls-daily",
            "usageLimit": account.limits.day,
            "currentUsage": used,
            "collectedAt": stamp::iso(call.now),
            "fetchStatus": "SUCCESS",
            "resetsAt": stamp::iso(resets_at),
        }]}),
    )
}
