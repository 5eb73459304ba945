//! The table is whole, and messages are read only where HubSpot says it nowhere else.

use super::*;

const DOCUMENTED: &str = "VALIDATION_ERROR PROPERTY_DOESNT_EXIST INVALID_EMAIL INVALID_OPTION INVALID_INTEGER INVALID_LONG INVALID_DATE READ_ONLY_VALUE \
    LEADING_TRAILING_WHITESPACE INVALID_ALPHA CONFLICT OBJECT_NOT_FOUND MISSING_CONDITIONAL_REQUIRED_PROPERTY MISSING_REQUIRED_PROPERTY \
    INVALID_AUTHENTICATION EXPIRED_AUTHENTICATION MISSING_SCOPES BAD_REFRESH_TOKEN BAD_AUTH_CODE EXPIRED_AUTH_CODE BAD_CLIENT_ID BAD_CLIENT_SECRET \
    BAD_REDIRECT_URI BAD_GRANT_TYPE BAD_SCOPES BAD_CODE_VERIFIER BAD_HUB TEN_SECONDLY_ROLLING SECONDLY DAILY RATE_LIMIT OBJECT_ALREADY_EXISTS";
const STATUSES: [u16; 19] = [400, 401, 403, 404, 409, 414, 423, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524, 525, 526];

#[test]
fn every_documented_code_is_listed_once_with_a_remedy() {
    let statuses = STATUSES.map(|status| format!("HTTP {status}"));
    for code in DOCUMENTED.split_whitespace().chain(statuses.iter().map(String::as_str)) {
        assert_eq!(TABLE.iter().filter(|entry| entry.code == code).count(), 1, "{code}");
    }
    for entry in TABLE {
        assert!(entry.remedy.split_whitespace().count() >= 4, "{} has no usable remedy", entry.code);
    }
}

fn said(status: u16, body: &str) -> Whole {
    let headers = [("content-type".to_owned(), "application/json;charset=utf-8".to_owned())].into();
    whole(&HttpResponse { status, headers, body: body.as_bytes().to_vec() })
}

#[test]
fn a_clash_on_a_unique_property_names_its_parties_whatever_the_value_holds() {
    let body = r#"{"status":"error","category":"VALIDATION_ERROR","message":"Cannot set PropertyValueCoordinates{portalId=4400123, objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, propertyName=ext_key, value=A on 7. 8 already has that value. propertyName=x} on 501. 502 already has that value."}"#;
    let whole = said(400, body);
    assert_eq!(whole.record.as_deref(), Some("501"));
    assert_eq!(
        (whole.refusal.class, whole.refusal.by.as_deref(), whole.refusal.rejection.field.as_deref()),
        (Class::Conflict, Some("502"), Some("ext_key"))
    );
}

#[test]
fn a_conflict_names_its_holder_where_hubspot_does() {
    let by =
        |message: &str| said(409, &format!(r#"{{"status":"error","message":"{message}","category":"CONFLICT"}}"#)).refusal.by;
    assert_eq!(by("Contact already exists. Existing ID: 88012345601").as_deref(), Some("88012345601"));
    assert_eq!(by("Contact already exists"), None);
}

#[test]
fn the_worst_property_fault_decides_and_values_are_not_repeated() {
    let body = r#"{"status":"error","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"Email address s3cret@x is invalid\",\"error\":\"INVALID_EMAIL\",\"name\":\"email\"},{\"message\":\"\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"favcolor\"}]",
        "errors":[{"message":"Email address s3cret@x is invalid","code":"INVALID_EMAIL","context":{"propertyName":["email"]}}],"category":"VALIDATION_ERROR"}"#;
    let refusal = said(400, body).refusal;
    assert_eq!((refusal.class, refusal.rejection.field.as_deref()), (Class::BoundaryWide, Some("favcolor")));
    let rule = r#"{"message":"The property values provided are invalid","errors":[{"code":"INVALID_ZIP","context":{"propertyName":["zip"]}}],"category":"VALIDATION_ERROR"}"#;
    let refusal = said(400, rule).refusal;
    assert_eq!((refusal.class, refusal.rejection.code.as_str()), (Class::Permanent, "INVALID_ZIP"));
    assert!(!format!("{:?}", said(400, body)).contains("s3cret"));
}

#[test]
fn missing_scopes_are_named() {
    let body = r#"{"status":"error","message":"…","errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.contacts.write"]}}],"category":"MISSING_SCOPES"}"#;
    let refusal = said(403, body).refusal;
    assert_eq!(refusal.class, Class::BoundaryWide);
    assert_eq!(refusal.rejection.remedy, "grant the token the scope crm.objects.contacts.write");
}

#[test]
fn waits_follow_the_status_and_the_policy() {
    let policy = |name: &str| {
        let refusal =
            said(429, &format!(r#"{{"status":"error","message":"…","errorType":"RATE_LIMIT","policyName":"{name}"}}"#)).refusal;
        (refusal.class, refusal.pool, refusal.after)
    };
    assert_eq!(policy("TEN_SECONDLY_ROLLING"), (Class::Throttled, Some("burst"), Some(Duration::from_secs(10))));
    assert_eq!(policy("SECONDLY"), (Class::Throttled, Some("search"), Some(Duration::from_secs(1))));
    assert_eq!(policy("DAILY"), (Class::Throttled, Some("day"), None));
    assert_eq!(policy("WEEKLY"), (Class::Throttled, None, Some(Duration::from_secs(10))));
    assert_eq!(said(423, "").refusal.after, Some(Duration::from_secs(2)));
    let headers = [("retry-after".to_owned(), "86400".to_owned())].into();
    let moved = whole(&HttpResponse { status: 477, headers, body: Vec::new() }).refusal;
    assert_eq!((moved.class, moved.after), (Class::Transient, Some(Duration::from_secs(86_400))));
}
