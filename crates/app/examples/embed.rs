//! The engine inside another program: events from a list in memory, written into an address book of its own.
//!
//! Run: `cargo run --example embed`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use syncline::boundary::{Codec, OnExisting, OnGone, RecordAuthority, Row, SyncBoundary, Terms};
use syncline::consumer::{FieldType, Schemas, SourceSettings};
use syncline::embed::Embedding;
use syncline::ports::{
    Account, Answer, Batch, Call, Checkpoint, ExternalFields, Feed, FeedGroup, FeedInput, Found, Look, LookAnswer, Operation,
    Outcome, Polled, PoolSpec, Profile, ReadAnswer, ReadBatch, ReadBy, Result, SourceId, Verdict, Window, Writer,
};
use syncline::boundary::Timestamp;

/// Reports a fixed list of events, one after the other.
struct List {
    source: SourceId,
    events: Vec<String>,
    next: usize,
}

#[async_trait]
impl Feed for List {
    async fn seek(&mut self, checkpoint: Option<Checkpoint>) -> Result<()> {
        self.next = checkpoint.map_or(0, |known| usize::try_from(known.position).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn poll(&mut self, max: usize, _now: Timestamp) -> Result<Polled> {
        let first = self.next.min(self.events.len());
        let last = (first + max).min(self.events.len());
        if first == last {
            return Ok(Polled::Ended);
        }
        let input = |at: usize| FeedInput { raw: self.events[at].clone().into_bytes(), place: format!("list:{at}"), broken: None };
        let inputs = (first..last).map(input).collect();
        self.next = last;
        let position = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
        let checkpoint = Checkpoint { source: self.source, epoch: 1, position: position(last), cursor: String::new() };
        Ok(Polled::Group(FeedGroup { epoch: 1, first_position: position(first), inputs, checkpoint, more: true }))
    }
}

/// People by their id in the book.
type People = BTreeMap<String, ExternalFields>;

/// An address book that takes ten calls a second.
struct AddressBook {
    people: Arc<Mutex<People>>,
    profile: Profile,
}

impl AddressBook {
    fn new(people: Arc<Mutex<People>>) -> Self {
        let pools = vec![PoolSpec { name: "burst".to_owned(), limit: 10, window: Window::Rolling(Duration::from_secs(1)) }];
        let draws = [Call::Token, Call::Connect, Call::Write, Call::Read, Call::Count, Call::Look].map(|call| (call, vec!["burst".to_owned()]));
        let profile = Profile {
            batch_max: Operation::ALL.into_iter().map(|operation| (operation, 50)).collect(),
            read_max: 50,
            timeout: Duration::from_secs(5),
            linger_max: Duration::from_secs(1),
            concurrency: 1,
            pools,
            draws: draws.into(),
        };
        Self { people, profile }
    }
}

#[async_trait]
impl Writer for AddressBook {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn renew(&self) -> Result<()> {
        Ok(())
    }

    fn needs_token(&self) -> bool {
        false
    }

    fn connect_calls(&self) -> usize {
        1
    }

    async fn connect(&self) -> Result<Account> {
        Ok(Account { id: "my-address-book".to_owned(), profile: self.profile.clone(), looks: BTreeMap::new() })
    }

    async fn count(&self, _object: &str) -> Result<u64> {
        Ok(self.people.lock().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    async fn send(&self, batch: &Batch) -> Answer {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let outcomes = batch.items.iter().map(|item| {
            let external_id = item.external_id.clone().unwrap_or_else(|| format!("person-{}", item.key));
            match batch.operation {
                Operation::Delete => people.remove(&external_id).map_or(Outcome::Gone, |_| written(external_id, false)),
                Operation::Update if !people.contains_key(&external_id) => Outcome::Gone,
                Operation::Create | Operation::Update => {
                    let existed = batch.operation == Operation::Create && people.contains_key(&external_id);
                    people.entry(external_id.clone()).or_default().extend(item.fields.clone());
                    written(external_id, existed)
                }
            }
        });
        Answer { outcomes: outcomes.collect(), verdict: Verdict::default() }
    }

    async fn read(&self, batch: &ReadBatch) -> ReadAnswer {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let found = batch.names.iter().map(|name| {
            let external_id = match batch.by {
                ReadBy::Id => name.clone(),
                ReadBy::Key => format!("person-{name}"),
            };
            people.get(&external_id).map(|fields| Found { external_id, fields: fields.clone() })
        });
        ReadAnswer { found: Ok(found.collect()), verdict: Verdict::default() }
    }

    async fn look(&self, _object: &str) -> LookAnswer {
        // A person here has whatever fields are written, so nothing can be amiss.
        LookAnswer { look: Ok(Look::default()), verdict: Verdict::default() }
    }
}

fn written(external_id: String, existed: bool) -> Outcome {
    Outcome::Written { external_id, existed, returned: None }
}

fn terms() -> std::result::Result<Terms, Box<dyn std::error::Error>> {
    let row = |ours: &str, theirs: &str, field_type| {
        Row::new(ours, vec![ours.to_owned()], vec![theirs.to_owned()], Codec::Same, RecordAuthority::SystemA, field_type)
    };
    let boundary = SyncBoundary::new("contacts", "list", "book")
        .with_field("name", RecordAuthority::SystemA)
        .with_field("email", RecordAuthority::SystemA);
    Ok(Terms {
        boundary,
        objects: [("lead".to_owned(), "person".to_owned())].into(),
        key_field: "key".to_owned(),
        marker: None,
        rows: vec![row("name", "full_name", FieldType::Text)?, row("email", "mail", FieldType::Email)?],
        fillers: BTreeMap::new(),
        rules: BTreeMap::new(),
        on_existing: OnExisting::default(),
        on_gone: OnGone::default(),
    })
}

/// Brings three people into the book, changes one and removes one.
pub fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let event = |operation: &str, item: &str| {
        format!(r#"{{"record":"contacts","operation":"{operation}","timestamp":"2024-01-15T10:30:00Z","item":{item}}}"#)
    };
    let events = vec![
        event("create", r#"{"id":"A1","name":"Ann Lee","email":"ann@example.com","contact":"lead"}"#),
        event("create", r#"{"id":"A2","name":"Bo Diaz","email":"bo@example.com","contact":"lead"}"#),
        event("create", r#"{"id":"A3","name":"Cy Ono","contact":"lead"}"#),
        event("update", r#"{"id":"A2","email":"bo.diaz@example.com"}"#),
        event("delete", r#"{"id":"A3"}"#),
    ];
    let directory = std::env::temp_dir().join(format!("syncline-embed-{}", std::process::id()));
    let people = Arc::new(Mutex::new(People::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let embedded = Embedding::new(Schemas::default())
            .with_feed("list", SourceSettings::default(), |source| Box::new(List { source, events, next: 0 }))
            .with_system("book", Arc::new(AddressBook::new(people.clone())), terms()?)
            .with_route("contacts", "lead", "book", "person")
            .start(&directory.join("store.db"))
            .await?;
        embedded.settled().await?;
        let ledger = embedded.ledger().await?;
        embedded.stop().await;
        assert!(ledger.imbalances().is_empty(), "everything is accounted for");
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    std::fs::remove_dir_all(&directory)?;
    let people = people.lock().unwrap_or_else(PoisonError::into_inner);
    for (id, fields) in people.iter() {
        println!("{id}: {fields:?}");
    }
    assert_eq!(people.len(), 2);
    assert_eq!(people["person-A2"]["mail"].as_deref(), Some("bo.diaz@example.com"));
    Ok(())
}
