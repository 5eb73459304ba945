//! Events as they come, good and bad: each row of the bad-input table has exactly one outcome.

use jiff::tz::TimeZone;
use proptest::prelude::{any, proptest};

use super::{Change, ChangeKind, ID_CHARS_MAX, Invalid, KEYS_MAX, OrderBy, SourceSettings, decode};
use crate::outcome::Rejection;
use crate::patch;
use crate::record::Value;
use crate::schema::{FieldType, Schema, Schemas, TEXT_BYTES_MAX};
use crate::time::Timestamp;

const ALICE: &str = r#"{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00.123456",
    "item":{"id":"A1234","name":"Alice Smith","email":"Alice.Smith@Example.com","phone":"+1-555-123-4567","contact":"lead",
    "created_at":"2024-01-15T10:30:00Z","updated_at":"2024-01-15T12:30:00.000000001+02:00"}}"#;

fn schemas() -> Schemas {
    let mut schemas = Schemas::default();
    let deals = Schema::new("deals")
        .with_field("amount", FieldType::Number)
        .with_field("won", FieldType::Bool)
        .with_field("closes", FieldType::Date)
        .with_field("revision", FieldType::Number)
        .with_field("at", FieldType::DateTime);
    schemas.insert(deals);
    schemas
}

fn read(json: impl AsRef<[u8]>) -> Result<Change, Invalid> {
    decode(json.as_ref(), &schemas(), &SourceSettings::default())
}

fn ordered(json: &str, field: &str) -> Result<Change, Invalid> {
    let settings = SourceSettings { order_by: OrderBy::Field(field.into()), ..SourceSettings::default() };
    decode(json.as_bytes(), &schemas(), &settings)
}

/// An event of `record` with this item's JSON.
fn event(record: &str, operation: &str, item: &str) -> String {
    format!(r#"{{"record":"{record}","operation":"{operation}","timestamp":"2024-01-15T10:30:00Z","item":{item}}}"#)
}

fn contact(item: &str) -> String {
    event("contacts", "update", &format!("{{\"id\":\"A1\",{item}}}"))
}

#[track_caller]
fn refused(json: impl AsRef<[u8]>, code: &str, pointer: &str) {
    let shown = String::from_utf8_lossy(json.as_ref()).chars().take(200).collect::<String>();
    match read(json.as_ref()) {
        Ok(change) => panic!("{shown}\nwas taken: {change:?}"),
        Err(fault) => {
            assert_eq!((fault.code, fault.pointer.as_str()), (code, pointer), "{shown}\n{fault}");
            assert!(!fault.message.is_empty() && !fault.remedy.is_empty(), "{shown}");
        }
    }
}

fn set(change: &Change, field: &str) -> Option<String> {
    let patch::Change::Set(Value::Text(text)) = change.patch.0.get(field)? else { panic!("{field} is not text") };
    Some(text.clone())
}

#[test]
fn the_published_example_is_read() {
    let change = read(ALICE).unwrap();
    assert_eq!((change.record_type.as_str(), change.key.as_str()), ("contacts", "A1234"));
    assert_eq!(change.operation, ChangeKind::Create);
    assert_eq!(change.occurred_at.to_rfc3339(), "2024-01-15T10:30:00.123456Z");
    assert_eq!((change.event_id.as_deref(), change.order), (None, None));
    let fields = [
        ("name", "Alice Smith"),
        ("email", "Alice.Smith@example.com"),
        ("phone", "+1-555-123-4567"),
        ("contact", "lead"),
        ("created_at", "2024-01-15T10:30:00Z"),
        ("updated_at", "2024-01-15T10:30:00.000000001Z"),
    ];
    assert_eq!(change.patch.0.len(), fields.len());
    for (field, text) in fields {
        assert_eq!(set(&change, field).as_deref(), Some(text), "{field}");
    }
}

#[test]
fn absent_null_and_empty_are_told_apart() {
    let item = r#"{"id":"A1","name":null,"email":"","phone":"1"}"#;
    let update = read(event("contacts", "update", item)).unwrap().patch.0;
    assert_eq!(update.get("name"), Some(&patch::Change::Clear));
    assert_eq!(update.get("email"), Some(&patch::Change::Clear));
    assert_eq!(update.get("contact"), None);
    let create = read(event("contacts", "create", item)).unwrap().patch.0;
    assert_eq!(create.into_keys().collect::<Vec<_>>(), ["phone"]);
    let delete = read(event("contacts", "delete", item)).unwrap();
    assert_eq!((delete.operation, delete.patch.0.len()), (ChangeKind::Delete, 0));
}

#[test]
fn what_is_no_json_is_refused_with_its_offset() {
    for json in [
        "",
        " \n",
        "\u{feff}",
        "nonsense",
        "{",
        "[]",
        "[1]",
        "null",
        "5",
        "\"x\"",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":01}",
        "{\"a\":1,}",
    ] {
        refused(json, "invalid_json", "");
    }
    refused(format!("{ALICE} x"), "invalid_json", "");
    refused(format!("{ALICE}{ALICE}"), "invalid_json", "");
    refused(b"{\"record\":\"\xff\"}", "invalid_json", "");
    refused(b"{\"a\":\"\xed\xa0\x80\"}", "invalid_json", "");
    refused("{\"a\":\"\n\"}", "invalid_json", "");
    let message = |json: &[u8]| read(json).unwrap_err().message;
    assert_eq!(message(b"{\"a\": nope}"), "is not JSON at byte 7: expected ident");
    assert!(message(format!("{ALICE} x").as_bytes()).contains(&format!("at byte {}: trailing", ALICE.len() + 1)));
    assert_eq!(message(b"\xef\xbb\xbf{\"a\":\"\xff\"}"), "is not valid UTF-8 at byte 9");
}

#[test]
fn a_byte_order_mark_and_unknown_top_level_keys_are_tolerated() {
    assert_eq!(read(format!("\u{feff}{ALICE}")).unwrap(), read(ALICE).unwrap());
    let more = ALICE.replacen('{', r#"{"trace":{"a":[1,-2,3.5,{"b":null,"c":true}]},"version":7,"é":"\u00e9","#, 1);
    assert_eq!(read(more).unwrap(), read(ALICE).unwrap());
}

#[test]
fn a_key_that_stands_twice_is_refused_wherever_it_stands() {
    refused(ALICE.replacen('{', r#"{"record":"contacts","#, 1), "duplicate_key", "/record");
    refused(ALICE.replacen('{', r#"{"x":1,"x":1,"#, 1), "duplicate_key", "/x");
    refused(ALICE.replacen('{', r#"{"x":{"y":[0,{"z":1,"z":2}]},"#, 1), "duplicate_key", "/x/y/1/z");
    refused(ALICE.replacen('{', r#"{"item":{"id":"A1"},"#, 1), "duplicate_key", "/item");
    refused(ALICE.replacen('{', r#"{"\u0072ecord":"contacts","#, 1), "duplicate_key", "/record");
    refused(contact(r#""name":"a","name":"a""#), "duplicate_key", "/item/name");
    refused(contact(r#""id":"A1""#), "duplicate_key", "/item/id");
}

#[test]
fn depth_keys_and_text_are_bounded() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let beside = |json: &str| ALICE.replacen('{', &format!("{{\"x\":{json},"), 1);
    assert!(read(beside(&nested(63))).is_ok());
    let fault = read(beside(&nested(64))).unwrap_err();
    assert_eq!(fault.code, "too_deep");
    assert!(fault.pointer.starts_with("/x/0/0") && fault.message.contains("64"));
    assert_eq!(read(contact(&format!("\"name\":{}", nested(63)))).unwrap_err().code, "too_deep");
    assert_eq!(read(contact(&format!("\"name\":{}", nested(62)))).unwrap_err().code, "wrong_type");
    assert_eq!(read(beside(&nested(100_000))).unwrap_err().code, "too_deep");
    assert_eq!(read(nested(100_000)).unwrap_err().code, "invalid_json");

    let keys = |count: usize| (0..count).map(|at| format!("\"k{at}\":1")).collect::<Vec<_>>().join(",");
    let known = 4 + 7;
    assert!(read(beside(&format!("{{{}}}", keys(KEYS_MAX - known - 1)))).is_ok());
    assert_eq!(read(beside(&format!("{{{}}}", keys(KEYS_MAX - known)))).unwrap_err().code, "too_many_keys");
    assert_eq!(read(contact(&keys(KEYS_MAX))).unwrap_err().code, "too_many_keys");

    let text = |length: usize| format!("\"{}\"", "x".repeat(length));
    assert!(read(contact(&format!("\"name\":{}", text(TEXT_BYTES_MAX)))).is_ok());
    refused(contact(&format!("\"name\":{}", text(TEXT_BYTES_MAX + 1))), "too_long", "/item/name");
    refused(beside(&text(TEXT_BYTES_MAX + 1)), "too_long", "/x");
    let long_key = read(contact(&format!("{}:1", text(TEXT_BYTES_MAX + 1)))).unwrap_err();
    assert!(long_key.code == "too_long" && long_key.pointer.len() < 100);
}

#[test]
fn text_that_is_none_is_refused() {
    refused(contact(r#""name":"a\u0000b""#), "invalid_value", "/item/name");
    refused(contact(r#""name":"\ud83d""#), "invalid_json", "/item/name");
    refused(contact(r#""name":"\ude00\ud83d""#), "invalid_json", "/item/name");
    refused(ALICE.replacen('{', r#"{"x":["\ud83d"],"#, 1), "invalid_json", "/x");
    refused(ALICE.replacen('{', r#"{"x":["a",{"y":"\u0000"}],"#, 1), "invalid_value", "/x/1/y");
    refused(ALICE.replacen('{', r#"{"\ud83d":1,"#, 1), "invalid_json", "");
    assert_eq!(set(&read(contact(r#""name":"\ud83d\ude00 \"Cher\"""#)).unwrap(), "name").as_deref(), Some("😀 \"Cher\""));
    for text in ["<script>", "=cmd|' /C calc'!A0", "{{7*7}}", "'; DROP TABLE x", "../../etc", "שלום", "O'Brien"] {
        assert_eq!(set(&read(contact(&format!("\"name\":\"{text}\""))).unwrap(), "name").as_deref(), Some(text));
    }
}

#[test]
fn record_operation_and_timestamp_are_checked() {
    let with = |part: &str, by: &str| ALICE.replacen(part, by, 1);
    refused(with(r#""record":"contacts","#, ""), "missing_field", "/record");
    refused(with(r#""contacts""#, "7"), "wrong_type", "/record");
    refused(with(r#""contacts""#, r#""people""#), "unknown_record_type", "/record");
    refused(with(r#""operation":"create","#, ""), "missing_field", "/operation");
    refused(with(r#""create""#, r#""upsert""#), "unknown_operation", "/operation");
    refused(with(r#""create""#, r#""Create""#), "unknown_operation", "/operation");
    refused(with(r#""create""#, "null"), "wrong_type", "/operation");
    refused(with(r#""timestamp":"2024-01-15T10:30:00.123456","#, ""), "missing_field", "/timestamp");
    refused(with(r#""2024-01-15T10:30:00.123456""#, "1705314600"), "wrong_type", "/timestamp");
    for time in ["", "now", "2024-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2016-12-31T23:59:60Z"] {
        refused(with("2024-01-15T10:30:00.123456", time), "bad_timestamp", "/timestamp");
    }
    let far = read(with("2024-01-15T10:30:00.123456", "2200-01-01T00:00:00.5+14:00")).unwrap();
    assert_eq!(far.occurred_at.to_rfc3339(), "2199-12-31T10:00:00.5Z");
}

#[test]
fn a_time_without_a_zone_is_read_where_the_source_says() {
    let settings =
        SourceSettings { assume_timezone: TimeZone::get("America/New_York").unwrap(), ..SourceSettings::default() };
    let change = decode(ALICE.as_bytes(), &schemas(), &settings).unwrap();
    assert_eq!(change.occurred_at.to_rfc3339(), "2024-01-15T15:30:00.123456Z");
    assert_eq!(set(&change, "created_at").as_deref(), Some("2024-01-15T10:30:00Z"));
}

#[test]
fn the_item_is_checked_field_by_field() {
    refused(ALICE.replacen("\"item\"", "\"itme\"", 1), "missing_field", "/item");
    for item in ["null", "[]", "5", "\"x\"", "true"] {
        refused(event("contacts", "update", item), "wrong_type", "/item");
    }
    refused(event("contacts", "delete", "{}"), "missing_field", "/item/id");
    for (id, code) in [
        ("null", "wrong_type"),
        ("\"\"", "invalid_value"),
        ("\" \"", "invalid_value"),
        ("1.5", "wrong_type"),
        ("1e3", "wrong_type"),
        ("[]", "wrong_type"),
    ] {
        refused(event("contacts", "delete", &format!("{{\"id\":{id}}}")), code, "/item/id");
    }
    let long = "é".repeat(ID_CHARS_MAX);
    assert!(read(event("contacts", "delete", &format!("{{\"id\":\"{long}\"}}"))).is_ok());
    refused(event("contacts", "delete", &format!("{{\"id\":\"{long}x\"}}")), "too_long", "/item/id");
    refused(event("contacts", "delete", &format!("{{\"id\":{}}}", "1".repeat(ID_CHARS_MAX + 1))), "wrong_type", "/item/id");
    assert_eq!(read(event("contacts", "delete", "{\"id\":9007199254740993}")).unwrap().key, "9007199254740993");
    refused(contact(r#""nmae":"x""#), "unknown_field", "/item/nmae");
    refused(contact(r#""a/b~c":"x""#), "unknown_field", "/item/a~1b~0c");
    refused(contact(r#""name":5"#), "wrong_type", "/item/name");
    refused(contact(r#""contact":"boss""#), "invalid_value", "/item/contact");
    refused(contact(r#""email":"nobody""#), "invalid_value", "/item/email");
    refused(contact(r#""created_at":"yesterday""#), "bad_timestamp", "/item/created_at");
    refused(event("contacts", "delete", r#"{"id":"A1","name":5}"#), "wrong_type", "/item/name");
    refused(event("contacts", "delete", r#"{"id":"A1","nmae":null}"#), "unknown_field", "/item/nmae");
}

#[test]
fn numbers_keep_their_text_and_are_never_rounded() {
    for number in ["1e400", "-0", "9007199254740993", "0.1000000000000000055511151231257827", "1.50"] {
        let change = read(event("deals", "update", &format!("{{\"id\":1,\"amount\":{number}}}"))).unwrap();
        assert_eq!(change.patch.0["amount"], patch::Change::Set(Value::Number { number: number.into() }));
    }
    refused(event("deals", "update", r#"{"id":1,"amount":"1,5"}"#), "wrong_type", "/item/amount");
    refused(event("deals", "update", r#"{"id":1,"won":"yes"}"#), "wrong_type", "/item/won");
    refused(event("deals", "update", r#"{"id":1,"closes":"15.01.2024"}"#), "invalid_value", "/item/closes");
}

#[test]
fn an_explicit_event_id_is_taken() {
    let with = |key: &str| read(ALICE.replacen('{', &format!("{{{key},"), 1)).map(|change| change.event_id);
    assert_eq!(with(r#""event_id":"e-1""#).unwrap().as_deref(), Some("e-1"));
    assert_eq!(with(r#""id":"e-2""#).unwrap().as_deref(), Some("e-2"));
    assert_eq!(with(r#""id":"e-2","event_id":"e-1""#).unwrap().as_deref(), Some("e-1"));
    assert_eq!(with(r#""id":42"#).unwrap().as_deref(), Some("42"));
    assert_eq!(with(r#""event_id":null"#).unwrap(), None);
    assert_eq!(with(r#""event_id":"""#).unwrap_err().pointer, "/event_id");
    assert_eq!(with(r#""id":{}"#).unwrap_err().code, "wrong_type");
}

#[test]
fn the_order_is_what_the_source_says() {
    let settings = SourceSettings { order_by: OrderBy::Timestamp, ..SourceSettings::default() };
    let by_time = decode(ALICE.as_bytes(), &schemas(), &settings).unwrap();
    assert_eq!(by_time.order, Some(by_time.occurred_at.0));
    let deal = |fields: &str| event("deals", "update", &format!("{{\"id\":1{fields}}}"));
    assert_eq!(ordered(&deal(r#","revision":17"#), "revision").unwrap().order, Some(17));
    assert_eq!(ordered(&deal(r#","at":"1970-01-01T00:00:00.000000005Z""#), "at").unwrap().order, Some(5));
    assert_eq!(ordered(&deal(r#","closes":"1970-01-02""#), "closes").unwrap().order, Some(86_400_000_000_000));
    for (fields, field, code) in [
        ("", "revision", "missing_field"),
        (r#","revision":null"#, "revision", "missing_field"),
        (r#","revision":1.5"#, "revision", "invalid_value"),
        (r#","at":"9999-01-01T00:00:00Z""#, "at", "invalid_value"),
        (r#","won":true"#, "won", "invalid_value"),
    ] {
        let fault = ordered(&deal(fields), field).unwrap_err();
        assert_eq!((fault.code, fault.pointer), (code, format!("/item/{field}")));
    }
    let delete = event("deals", "delete", "{\"id\":1}");
    assert_eq!(ordered(&delete, "at").unwrap().order, Some(Timestamp::from_millis(1_705_314_600_000).0));
    assert_eq!(ordered(&delete, "revision").unwrap_err().code, "missing_field");
}

#[test]
fn the_digest_is_of_what_is_said_and_not_of_how() {
    let one = read(event("contacts", "update", r#"{"id":"A1","name":"x","phone":null},"event_id":"1""#)).unwrap();
    let respelled = r#" {"id":"2","item":{"phone":"","name":"\u0078","id":"A1"},"timestamp":"2024-01-15T10:30:00.0",
        "operation":"update","record":"contacts"}"#;
    let two = read(respelled).unwrap();
    assert_eq!(one.digest, two.digest);
    let others = [
        ("update", r#"{"id":"A1","name":"y","phone":null}"#),
        ("update", r#"{"id":"A1","name":"x"}"#),
        ("update", r#"{"id":"A2","name":"x","phone":null}"#),
        ("create", r#"{"id":"A1","name":"x"}"#),
        ("delete", r#"{"id":"A1"}"#),
    ];
    for (operation, item) in others {
        assert_ne!(read(event("contacts", operation, item)).unwrap().digest, one.digest, "{operation} {item}");
    }
}

#[test]
fn a_refusal_becomes_a_rejection_and_reads_as_a_sentence() {
    let fault = read(contact(r#""contact":"boss""#)).unwrap_err();
    assert!(fault.to_string().starts_with("/item/contact: is not one of the values that the field takes"), "{fault}");
    let rejection = Rejection::from(fault);
    assert_eq!((rejection.code.as_str(), rejection.field.as_deref()), ("invalid_value", Some("/item/contact")));
    assert_eq!(Rejection::from(read("").unwrap_err()).field, None);
    assert_eq!(read("").unwrap_err().to_string(), "is empty; send one JSON object");
}

proptest! {
    #[test]
    fn no_bytes_stop_the_reader(bytes in any::<Vec<u8>>(), cut in 0..400_usize, flip in any::<u8>()) {
        let _ = read(&bytes);
        let mut near = ALICE.as_bytes().to_vec();
        let at = cut % near.len();
        near[at] = flip;
        let _ = read(&near);
        let _ = read(&ALICE.as_bytes()[..at]);
    }

    #[test]
    fn what_was_written_is_read(key in "[a-z0-9é\"\\\\ ]{0,9}x", name in any::<String>(), nanos in 0..1_000_000_000_u32) {
        let time = format!("2024-01-15T10:30:00.{nanos:09}Z");
        let item = serde_json::json!({"id": key, "name": name, "created_at": time});
        let json = serde_json::json!({"item": item, "record": "contacts", "timestamp": time, "operation": "update"});
        let json = json.to_string();
        if name.contains('\0') {
            assert_eq!(read(json).unwrap_err().code, "invalid_value");
            return Ok(());
        }
        let change = read(json).unwrap();
        assert_eq!(change.key, key);
        assert_eq!(change.occurred_at.0.rem_euclid(1_000_000_000), i64::from(nanos));
        let wanted = if name.is_empty() { patch::Change::Clear } else { patch::Change::Set(Value::Text(name)) };
        assert_eq!(&change.patch.0["name"], &wanted);
    }

    #[test]
    fn no_refusal_quotes_a_value(secret in "[a-z]{12}", pick in 0..9_usize) {
        let quoted = format!("\"{secret}\"");
        let json = match pick {
            0 => contact(&format!("\"email\":{quoted}")),
            1 => contact(&format!("\"contact\":{quoted}")),
            2 => contact(&format!("\"created_at\":{quoted}")),
            3 => event("contacts", "update", &quoted),
            4 => event("deals", "update", &format!("{{\"id\":1,\"amount\":{quoted}}}")),
            5 => event(&secret, "update", "{\"id\":1}"),
            6 => event("contacts", &secret, "{\"id\":1}"),
            7 => quoted,
            _ => ALICE.replace("2024-01-15T10:30:00.123456", &secret),
        };
        let fault = read(json).unwrap_err();
        assert!(!format!("{fault:?} {fault}").contains(&secret), "{fault:?}");
    }
}
