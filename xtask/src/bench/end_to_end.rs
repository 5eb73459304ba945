//! Measures the whole way: events, the store at full durability, and both emulated CRMs in a process of their own.
//!
//! Promises: a case is over when the ledger says that every event is accepted and nothing is open, and the CRMs have taken at least as many
//! items; quotas are raised so that they do not bind; the processor time is the product's process alone.
//! Leaves to others: building the binary (`cargo build --release -p syncline`).

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::http::Caller;
use super::process::{Process, cpu_seconds, free_address, peak_bytes, wait_until_live};
use crate::run::Watch;

/// What is measured.
struct Plan {
    events: u64,
    singles: u64,
    json: bool,
    binary: PathBuf,
    data: PathBuf,
}

/// How the events come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    /// From a file, ids in order.
    Batched,
    /// From a file, ids in no order.
    BatchedRandom,
    /// One event per HTTP request, 32 clients.
    Single,
}

/// What a case came to.
struct Figures {
    events: u64,
    wall: f64,
    cpu: f64,
    requests: u64,
    items: u64,
    peak: u64,
}

const CLIENTS: u64 = 32;
const LIMIT: Duration = Duration::from_secs(600);
/// The first question after the start is asked so long after it.
const POLL: Duration = Duration::from_millis(50);
const SANDBOX: &str = "hubspot: { quota_ten_seconds: 100000000, quota_day: 1000000000 }\nsalesforce: { quota_day: 1000000000 }\nrequests_max: 100000000\n";

/// Runs every case and prints what it came to.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    let plan = plan(root, arguments)?;
    let mut told = serde_json::Map::new();
    for (case, name) in [(Case::Batched, "batched"), (Case::BatchedRandom, "batched_random_ids"), (Case::Single, "single")] {
        let figures = measure(&plan, case).with_context(|| format!("the case {name}"))?;
        if !plan.json {
            println!("{}", in_words(name, &figures));
        }
        told.insert(name.to_owned(), as_json(&figures));
    }
    if plan.json {
        println!("{:#}", json!({ "end_to_end": told }));
    }
    Ok(())
}

fn plan(root: &Path, arguments: &[&str]) -> Result<Plan> {
    let mut plan = Plan { events: 200_000, singles: 100_000, json: false, binary: root.join("target/release/syncline"), data: root.join("target/bench-end-to-end") };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match *word {
            "--json" => plan.json = true,
            "--events" => plan.events = value()?.parse()?,
            "--singles" => plan.singles = value()?.parse()?,
            "--binary" => plan.binary = PathBuf::from(value()?),
            _ => bail!("unknown argument {word}"),
        }
    }
    Ok(plan)
}

fn measure(plan: &Plan, case: Case) -> Result<Figures> {
    // What an earlier run left is of no use.
    let _ = std::fs::remove_dir_all(&plan.data);
    std::fs::create_dir_all(&plan.data).context("no directory for the measurement")?;
    let (_sandbox, [salesforce, hubspot]) = sandbox(plan)?;
    let address = free_address()?;
    let config = plan.data.join("syncline.yaml");
    std::fs::write(&config, configuration(plan, case, address, &salesforce, &hubspot))?;
    let events = if case == Case::Single { plan.singles } else { plan.events };
    if case != Case::Single {
        write_events(plan, events, case)?;
    }
    let watch = Watch::start();
    let started = Command::new(&plan.binary).arg("run").arg("-c").arg(&config).env("BENCH_SECRET", "sandbox-secret").env("BENCH_TOKEN", "pat-sandbox-1").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let process = Process(started.with_context(|| format!("cannot start {}", plan.binary.display()))?);
    if case == Case::Single {
        wait_until_live(address)?;
        send_singles(address, events)?;
    }
    drained(plan, events)?;
    let (wall, cpu, peak) = (watch.elapsed().as_secs_f64(), cpu_seconds(process.0.id())?, peak_bytes(process.0.id())?);
    let counters = get(&hubspot, "/_sandbox/counters")?;
    let (requests, items) = written(&counters);
    ensure!(items >= events, "{items} items were written for {events} events");
    Ok(Figures { events, wall, cpu, requests, items, peak })
}

/// The emulated CRMs in a process of their own, and where they answer.
fn sandbox(plan: &Plan) -> Result<(Process, [String; 2])> {
    let settings = plan.data.join("sandbox.yaml");
    std::fs::write(&settings, SANDBOX)?;
    let mut child = Command::new(&plan.binary)
        .args(["sandbox", "--salesforce", "127.0.0.1:0", "--hubspot", "127.0.0.1:0", "--config"])
        .arg(&settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", plan.binary.display()))?;
    let mut lines = BufReader::new(child.stdout.take().context("the sandbox has no output")?).lines();
    let mut urls = [String::new(), String::new()];
    while urls.iter().any(String::is_empty) {
        let line = lines.next().context("the sandbox ended before it listened")??;
        match line.split_once(' ') {
            Some(("salesforce", url)) => url.clone_into(&mut urls[0]),
            Some(("hubspot", url)) => url.clone_into(&mut urls[1]),
            Some(_) | None => {}
        }
    }
    Ok((Process(child), urls))
}

fn configuration(plan: &Plan, case: Case, address: SocketAddr, salesforce: &str, hubspot: &str) -> String {
    let source = match case {
        Case::Batched | Case::BatchedRandom => format!("  people: {{ kind: file, path: {}, follow: true }}\n", plan.data.join("events.jsonl").display()),
        Case::Single => "  app: { kind: http }\n".to_owned(),
    };
    let quota = "quota: { use: 1.0, day: 1000000000";
    format!(
        "data: {}\nlog: error\nsystems:\n{source}  salesforce: {{ kind: salesforce, url: \"{salesforce}\", {quota} }}, auth: {{ client_credentials: {{ id: sandbox-client, secret: \"${{BENCH_SECRET}}\" }} }} }}\n  \
         hubspot: {{ kind: hubspot, url: \"{hubspot}\", token: \"${{BENCH_TOKEN}}\", {quota}, burst: 100000000 }} }}\napi: {{ listen: \"{address}\" }}\n",
        plan.data.display()
    )
}

/// One event, of about 295 bytes.
pub(super) fn event(id: &str) -> String {
    let kind = if id.ends_with(['1', '3', '5', '7', '9']) { "lead" } else { "customer" };
    format!(
        "{{\"record\":\"contacts\",\"operation\":\"create\",\"timestamp\":\"2024-01-15T10:30:00.123456\",\
         \"item\":{{\"id\":\"A{id}\",\"name\":\"Alice Smith\",\"email\":\"alice.{id}@example.com\",\
         \"phone\":\"+1-555-123-4567\",\"contact\":\"{kind}\",\"created_at\":\"2024-01-15T10:30:00Z\",\"updated_at\":\"2024-01-15T10:30:00Z\"}}}}"
    )
}

fn write_events(plan: &Plan, events: u64, case: Case) -> Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(plan.data.join("events.jsonl"))?);
    for number in 0..events {
        // An odd multiplier goes through all numbers of 64 bits in no order, each once.
        let id = if case == Case::BatchedRandom { number.wrapping_mul(0x9E37_79B9_7F4A_7C15) } else { number };
        writeln!(file, "{}", event(&format!("{id:020}")))?;
    }
    Ok(file.flush()?)
}

fn send_singles(address: SocketAddr, events: u64) -> Result<()> {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || -> Result<()> {
                    let mut caller = Caller::connect(address)?;
                    for number in (client..events).step_by(usize::try_from(CLIENTS)?) {
                        let status = caller.send(&event(&format!("{number:020}")))?;
                        ensure!(status == 202, "an answer was {status}");
                    }
                    Ok(())
                })
            })
            .collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })
}

/// Returns when every event is accepted and nothing is open.
fn drained(plan: &Plan, events: u64) -> Result<()> {
    let (watch, socket) = (Watch::start(), plan.data.join("syncline.sock"));
    while watch.elapsed() < LIMIT {
        std::thread::park_timeout(POLL);
        let Ok(ledger) = ask(&socket) else { continue };
        let accepted = ledger["tenant"]["accepted"].as_u64().unwrap_or_default();
        let open: u64 = ledger["systems"].as_array().into_iter().flatten().filter_map(|system| system["open"].as_u64()).sum();
        if accepted >= events && open == 0 {
            ensure!(ledger["letters"]["waiting"].as_u64().unwrap_or_default() == 0, "dead letters wait: {ledger}");
            return Ok(());
        }
    }
    bail!("not drained after {} s", LIMIT.as_secs())
}

fn ask(socket: &Path) -> Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"{\"do\":\"ledger\",\"verify\":false}\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let answer: Value = serde_json::from_str(&line)?;
    answer.get("done").cloned().with_context(|| format!("the process refused: {line}"))
}

fn get(url: &str, path: &str) -> Result<Value> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let body = text.split_once("\r\n\r\n").context("no body")?.1;
    let json = &body[body.find('{').context("no JSON")?..=body.rfind('}').context("no JSON")?];
    serde_json::from_str(json).context("the counters do not read")
}

/// Write requests and items of both CRMs.
fn written(counters: &Value) -> (u64, u64) {
    let (mut requests, mut items) = (0, 0);
    let mut stack = vec![counters];
    while let Some(value) = stack.pop() {
        for (name, inner) in value.as_object().into_iter().flatten() {
            let writes = ["upsert", "create", "update", "delete", "archive"].iter().any(|word| name.contains(word));
            match (writes, inner["requests"].as_u64()) {
                (true, Some(count)) => (requests, items) = (requests + count, items + inner["items"].as_u64().unwrap_or_default()),
                (_, _) => stack.push(inner),
            }
        }
    }
    (requests, items)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

fn in_words(name: &str, figures: &Figures) -> String {
    let Figures { events, wall, cpu, requests, items, peak } = figures;
    format!(
        "{name}: {events} events in {wall:.1} s; per second {:.0}, per CPU-second of the process {:.0} ({cpu:.1} CPU-seconds); {requests} write requests with {items} items, {:.1} per 1,000; peak memory {} MiB",
        per(*events, *wall),
        per(*events, *cpu),
        per(requests * 1000, per(*items, 1.0)),
        peak >> 20
    )
}

fn as_json(figures: &Figures) -> Value {
    let Figures { events, wall, cpu, requests, items, peak } = figures;
    json!({
        "events": events,
        "events_per_s": per(*events, *wall),
        "events_per_cpu_s": per(*events, *cpu),
        "requests_per_1000_items": per(requests * 1000, per(*items, 1.0)),
        "peak_bytes": peak,
    })
}
