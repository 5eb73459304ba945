//! Bodies as they are sent, against golden files of what they say.

use std::fmt::Write;

use syncline_core::event::{Change, Invalid, SourceSettings};
use syncline_core::schema::Schemas;

use super::{Form, Read, Refused, form, read};

const EVENT: &str = r#"{"record":"contacts","operation":"update","timestamp":"2024-01-15T10:30:00.123456","item":{"id":"A1","name":"Alice","phone":null}}"#;
const CLOUD: &str = r#"{"specversion":"1.0","id":"9","source":"/crm/app","type":"com.example.contact.updated","time":"2024-01-15T10:30:00.123456Z","traceparent":"00-1","data":{"id":"A1","name":"Alice","phone":null}}"#;

fn told(form: &Form, body: &str) -> String {
    match read(form, body.as_bytes(), &Schemas::default(), &SourceSettings::default(), 3) {
        Ok(Read { inputs, is_list }) => {
            let mut text = format!("{} of {}\n", if is_list { "a list" } else { "one" }, inputs.len());
            inputs.iter().for_each(|input| writeln!(text, "{}", line(input)).unwrap());
            text
        }
        Err(Refused::Invalid(invalid)) => format!("refused: {invalid}\n"),
        Err(Refused::TooMany) => "refused: too many\n".to_owned(),
        Err(Refused::ContentType) => "refused: content type\n".to_owned(),
    }
}

fn line(input: &Result<Change, Invalid>) -> String {
    match input {
        Ok(event) => format!(
            "{} {} {} at {} id {:?} patch {:?}",
            event.operation.name(),
            event.record_type,
            event.key,
            event.occurred_at.0,
            event.event_id,
            event.patch.0
        ),
        Err(invalid) => format!("{}: {invalid}", invalid.code),
    }
}

#[test]
fn bodies_say_what_the_golden_file_says() {
    let attributes: Vec<(&str, &[u8])> = vec![
        ("specversion", b"1.0"),
        ("id", b"9"),
        ("source", b"/crm/app"),
        ("type", b"com.example.contact.updated"),
        ("time", b"2024-01-15T10:30:00.123456Z"),
        ("comment", b"caf%C3%A9%20%22x%22"),
    ];
    let binary = form("application/json", &attributes).unwrap();
    let item = r#"{"id":"A1","name":"Alice","phone":null}"#;
    let cases = [
        ("one bare event", Form::Json, EVENT.to_owned()),
        ("one CloudEvent as JSON", Form::Json, CLOUD.to_owned()),
        ("an array of both, and of what is neither", Form::Json, format!("\u{feff} [{EVENT},\n{CLOUD}, 7 ]")),
        ("lines", Form::Lines, format!("{EVENT}\r\n\n{CLOUD}\nnonsense")),
        ("more lines than are taken", Form::Lines, format!("{EVENT}\n").repeat(4)),
        ("a CloudEvent", Form::Cloud, CLOUD.to_owned()),
        ("a bare event where a CloudEvent was said", Form::Cloud, EVENT.to_owned()),
        ("a batch", Form::CloudBatch, format!("[{CLOUD}]")),
        ("binary", binary.clone(), item.to_owned()),
        ("binary with an attribute smuggled behind the data", binary, format!("{item},\"subject\":\"contacts/B\"")),
        ("an array that is broken off", Form::Json, format!("[{EVENT},")),
    ];
    let text: String = cases.iter().map(|(name, form, body)| format!("## {name}\n{}\n", told(form, body))).collect();
    insta::assert_snapshot!("bodies", text);
}

#[test]
fn the_same_event_bare_and_as_a_cloud_event_says_the_same() {
    let one = |form: &Form, body: &str| read(form, body.as_bytes(), &Schemas::default(), &SourceSettings::default(), 1).unwrap().inputs.remove(0).unwrap();
    let (bare, cloud) = (one(&Form::Json, EVENT), one(&Form::Cloud, CLOUD));
    assert_eq!(bare.digest, cloud.digest);
    assert_eq!(Change { event_id: None, ..cloud }, bare);
}

#[test]
fn the_content_type_decides_the_form() {
    let forms = [
        ("application/json", Ok(Form::Json)),
        ("Application/JSON; charset=\"utf-8\"", Ok(Form::Json)),
        ("application/x-ndjson", Ok(Form::Lines)),
        ("application/cloudevents+json; charset=UTF-8", Ok(Form::Cloud)),
        ("application/cloudevents-batch+json", Ok(Form::CloudBatch)),
        ("application/json; charset=utf-16", Err(Refused::ContentType)),
        ("text/json", Err(Refused::ContentType)),
        ("", Err(Refused::ContentType)),
    ];
    for (content_type, wanted) in forms {
        assert_eq!(form(content_type, &[]), wanted, "{content_type}");
    }
}

proptest::proptest! {
    #[test]
    fn no_body_stops_the_reader(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200), text in "[\\[\\]{}\",:a-z0-9 \\\\\n]{0,200}") {
        let forms = [Form::Json, Form::Lines, Form::Cloud, Form::CloudBatch, Form::CloudBinary(vec![("id".into(), "1".into())])];
        for form in &forms {
            for body in [body.as_slice(), text.as_bytes()] {
                if let Ok(read) = read(form, body, &Schemas::default(), &SourceSettings::default(), 3) {
                    proptest::prop_assert!((1..=3).contains(&read.inputs.len()));
                }
            }
        }
    }

    #[test]
    fn attributes_of_any_shape_are_judged_and_never_stop_the_reader(name in "[a-zA-Z0-9_]{0,25}", value in "(\"[^\"\\\\\\p{C}]{0,30}\"|[0-9]{1,5}|null|true|\\[1\\]|\\{\\})") {
        let body = CLOUD.replacen('{', &format!("{{\"{name}\":{value},"), 1);
        let input = read(&Form::Cloud, body.as_bytes(), &Schemas::default(), &SourceSettings::default(), 1).unwrap().inputs.remove(0);
        let known = ["specversion", "id", "source", "type", "time", "traceparent", "data", "subject", "datacontenttype", "data_base64", "item", "record", "operation", "timestamp", "event_id"];
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !known.contains(&name.as_str()) {
            proptest::prop_assert_eq!(input.is_ok(), is_name && !value.starts_with(['[', '{']), "{}", body);
        }
    }
}
