//! What CRMs should never answer: each row of `crm.yaml` is given over a real socket to the real writer of the CRM that it names.
//!
//! Promises: every item gets exactly one outcome, whatever comes; no answer stops the writer. Leaves to others: what is done about an
//! outcome (`core::dispatch`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Batch, Item};
use syncline_core::ids::{AttemptId, ChargeId};
use syncline_core::outcome::{Outcome, Verdict};

const TOKEN: &str = r#"{"access_token":"00D5g!tok","instance_url":"http://ADDRESS","id":"https://login.salesforce.com/id/00D5g000004Kp7QEAS/0055g000007Xy9ZAAS","token_type":"Bearer","issued_at":"1785672000123"}"#;

/// One row of `crm.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    crm: String,
    status: u16,
    #[serde(default = "json")]
    r#type: String,
    #[serde(default)]
    headers: String,
    body: String,
    #[serde(default)]
    part: String,
    #[serde(default)]
    times: usize,
    becomes: Vec<String>,
    #[serde(default)]
    verdict: String,
}

fn json() -> String {
    "application/json".to_owned()
}

impl Row {
    /// The answer on the wire.
    fn answer(&self) -> Vec<u8> {
        let body = format!("{}{}", self.body, self.part.repeat(self.times));
        if self.status == 0 {
            return body.into_bytes();
        }
        let length = if self.headers.contains("content-length") { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let more = if self.headers.is_empty() { String::new() } else { format!("{}\r\n", self.headers) };
        format!("HTTP/1.1 {} x\r\ncontent-type: {}\r\n{length}{more}connection: close\r\n\r\n{body}", self.status, self.r#type).into_bytes()
    }
}

/// Takes one request, and answers: a token where one is asked for, else what the row says.
fn serve(stream: TcpStream, answer: &[u8], address: &str) -> std::io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let (mut first, mut length, mut line) = (String::new(), 0, String::new());
    input.read_line(&mut first)?;
    while input.read_line(&mut line)? > 2 {
        if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    input.read_exact(&mut vec![0; length])?;
    let mut output = stream;
    if first.contains("/services/oauth2/token") {
        let token = TOKEN.replace("ADDRESS", address);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", token.len());
        return output.write_all(format!("{head}{token}").as_bytes());
    }
    output.write_all(answer)
}

fn batch(crm: &str) -> Batch {
    let (object, key_field, field, ids) = match crm {
        "hubspot" => ("contacts", "syncline_id", "firstname", ["501", "502"]),
        _ => ("Contact", "Syncline_Id__c", "FirstName", ["0035g00000Qa1ZxAAJ", "0035g00000Qa1ZyAAJ"]),
    };
    let item = |at: usize| Item {
        attempt: AttemptId(at as i64 + 1),
        key: format!("A{at}"),
        external_id: Some(ids[at].to_owned()),
        fields: [(field.to_owned(), Some("v4lue".to_owned()))].into(),
    };
    Batch { charge: ChargeId(1), operation: Operation::Update, object: object.into(), key_field: key_field.into(), items: vec![item(0), item(1)] }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Written { .. } => "written",
        Outcome::Gone => "gone",
        Outcome::Taken { .. } => "taken",
        Outcome::Rejected(_) => "rejected",
        Outcome::Retry { .. } => "retry",
        Outcome::Suspect(_) => "suspect",
        Outcome::NotSent { .. } => "not sent",
        Outcome::Unknown { .. } => "unknown",
    }
}

fn told(verdict: &Verdict) -> &'static str {
    match (verdict.unauthorised, &verdict.throttled, &verdict.boundary) {
        (true, ..) => "unauthorised",
        (_, Some(_), _) => "throttled",
        (_, _, Some(_)) => "boundary",
        (false, None, None) => "",
    }
}

/// Answers every request with what is to be answered just now; answers its own address.
#[expect(clippy::disallowed_methods, reason = "a CRM is another process, and answers while the writer waits")]
fn start(answer: Arc<Mutex<Vec<u8>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let own = address.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.lock().unwrap().clone();
            // A writer that went away has had enough of it.
            let _ = serve(stream, &answer, &own);
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_answers_of_crms_come_out_as_the_table_says() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let rows: Vec<Row> = serde_saphyr::from_str(include_str!("crm.yaml")).unwrap();
    assert!(rows.len() >= 35, "{} rows", rows.len());
    let answer: Arc<Mutex<Vec<u8>>> = Arc::default();
    let address = start(answer.clone());
    let text = format!(
        "systems:\n  internal: {{ kind: stdin }}\n  salesforce: {{ kind: salesforce, url: 'http://{address}', auth: {{ client_credentials: \
         {{ id: a, secret: '${{S}}' }} }} }}\n  hubspot: {{ kind: hubspot, url: 'http://{address}', token: '${{S}}' }}\nrouting: default\n"
    );
    let config = syncline::config::load(&text, "crm.yaml", &|name| (name == "S").then(|| "secret".to_owned())).unwrap();
    let mut wrong = Vec::new();
    for row in &rows {
        *answer.lock().unwrap() = row.answer();
        let (writer, _) = syncline::wiring::writer(&config, config.system(&row.crm).unwrap()).unwrap().unwrap();
        if writer.needs_token() {
            writer.renew().await.unwrap();
        }
        let got = writer.send(&batch(&row.crm)).await;
        let words: Vec<_> = got.outcomes.iter().map(word).collect();
        if words != row.becomes || told(&got.verdict) != row.verdict {
            wrong.push(format!("{} {}: {words:?} {:?}", row.crm, row.name, told(&got.verdict)));
        }
        assert!(!format!("{got:?}").contains("v4lue"), "{} shows a value", row.name);
    }
    assert!(wrong.is_empty(), "{} rows came out otherwise:\n{}", wrong.len(), wrong.join("\n"));
}
