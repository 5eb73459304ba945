//! Measures the HTTP intake: many clients, one event a request, idle connections and a slow reader beside them, and a kill at the end.
//!
//! Promises: the processor time is the product's process alone, out of /proc; every 202 is counted against the store after a kill -9;
//! an answer that is no 202 fails the run. Leaves to others: building the binary (`cargo build --release -p syncline`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};

use super::process::{Process, cpu_seconds, free_address, resident_bytes, wait_until_live};
use crate::run::Watch;

/// What is measured.
struct Plan {
    clients: u64,
    seconds: u64,
    idle: usize,
    binary: PathBuf,
}

const CONFIG: &str = "
systems:
  app: { kind: http }
  hub: { kind: hubspot, token: \"${BENCH_TOKEN}\", url: \"http://127.0.0.1:9\" }
routing: hubspot_only
log: error
";

/// Runs the measurement and prints what it came to.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    let plan = plan(root, arguments)?;
    let data = root.join("target/bench-http");
    // What an earlier run left is of no use.
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).context("no directory for the measurement")?;
    let address = free_address()?;
    let config = data.join("syncline.yaml");
    std::fs::write(&config, format!("data: {}\napi: {{ listen: \"{address}\" }}{CONFIG}", data.display()))?;
    let started = syncline(&plan, &config, "run").stdin(Stdio::null()).spawn();
    let mut process = Process(started.with_context(|| format!("cannot start {}", plan.binary.display()))?);
    wait_until_live(address)?;
    let idle: Vec<TcpStream> = (0..plan.idle).map(|_| TcpStream::connect(address)).collect::<std::io::Result<_>>().context("idle connections")?;
    let slow = slow_reader(address)?;
    let before = cpu_seconds(process.0.id())?;
    let watch = Watch::start();
    let (taken, latencies) = load(&plan, address)?;
    let (wall, after) = (watch.elapsed().as_secs_f64(), cpu_seconds(process.0.id())?);
    let memory = resident_bytes(process.0.id())?;
    process.0.kill().context("kill -9")?;
    process.0.wait()?;
    drop((idle, slow));
    let kept = accepted(&plan, &config)?;
    let cpu = after - before;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let per = |count: u64, seconds: f64| count as f64 / seconds;
    println!("clients {}, idle connections {}, slow readers 1, one event a request, {wall:.1} s", plan.clients, plan.idle);
    println!("answered 202: {taken}; in the store after kill -9: {kept}");
    println!("events per second {:.0}; per CPU-second of the process {:.0} ({cpu:.1} CPU-seconds)", per(taken, wall), per(taken, cpu));
    println!("latency p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms; resident memory {} MiB", at(&latencies, 50), at(&latencies, 99), at(&latencies, 100), memory >> 20);
    ensure!(kept >= taken, "{} events were answered 202 and are not in the store", taken - kept);
    Ok(())
}

fn plan(root: &Path, arguments: &[&str]) -> Result<Plan> {
    let mut plan = Plan { clients: 32, seconds: 60, idle: 0, binary: root.join("target/release/syncline") };
    for pair in arguments.chunks(2) {
        match pair {
            ["--clients", count] => plan.clients = count.parse()?,
            ["--seconds", count] => plan.seconds = count.parse()?,
            ["--idle", count] => plan.idle = count.parse()?,
            ["--binary", file] => plan.binary = PathBuf::from(file),
            _ => bail!("unknown argument {}", pair.join(" ")),
        }
    }
    Ok(plan)
}

fn syncline(plan: &Plan, config: &Path, command: &str) -> Command {
    let mut started = Command::new(&plan.binary);
    started.args(command.split(' ')).arg("-c").arg(config).env("BENCH_TOKEN", "pat-bench");
    started
}

/// Asks again and again and reads nothing.
fn slow_reader(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    let request = b"GET /readyz?verbose HTTP/1.1\r\nhost: bench\r\n\r\n".repeat(10_000);
    // What does not fit any more is not sent.
    let _ = stream.write(&request);
    Ok(stream)
}

/// Lets every client send until the time is over; answers how many were taken, and every latency in microseconds.
fn load(plan: &Plan, address: SocketAddr) -> Result<(u64, Vec<u64>)> {
    let (watch, taken) = (Watch::start(), AtomicU64::new(0));
    let all: Result<Vec<Vec<u64>>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..plan.clients).map(|client| scope.spawn({ let (watch, taken) = (&watch, &taken); move || converse(plan, address, client, watch, taken) })).collect();
        clients.into_iter().map(|client| client.join().map_err(|_| anyhow::anyhow!("a client panicked"))?).collect()
    });
    let mut latencies = all?.concat();
    latencies.sort_unstable();
    Ok((taken.load(Ordering::Relaxed), latencies))
}

fn converse(plan: &Plan, address: SocketAddr, client: u64, watch: &Watch, taken: &AtomicU64) -> Result<Vec<u64>> {
    let mut caller = Caller::connect(address)?;
    let mut latencies = Vec::new();
    for number in 0_u64.. {
        let sent = watch.elapsed();
        if sent.as_secs() >= plan.seconds {
            break;
        }
        let status = caller.send(&event(client, number))?;
        ensure!(status == 202, "an answer was {status}");
        taken.fetch_add(1, Ordering::Relaxed);
        latencies.push(u64::try_from((watch.elapsed() - sent).as_micros()).unwrap_or(u64::MAX));
    }
    Ok(latencies)
}

/// One client on a connection that it keeps.
pub(super) struct Caller {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Caller {
    /// A client of the door at that address.
    pub(super) fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let answers = BufReader::new(stream.try_clone()?);
        Ok(Self { stream, answers })
    }

    /// Sends one event; answers the status.
    pub(super) fn send(&mut self, event: &str) -> Result<u16> {
        let head = "POST /v1/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length";
        self.stream.write_all(format!("{head}: {}\r\n\r\n{event}", event.len()).as_bytes())?;
        status(&mut self.answers)
    }
}

fn event(client: u64, number: u64) -> String {
    format!(
        "{{\"record\":\"contacts\",\"operation\":\"create\",\"timestamp\":\"2024-01-15T10:30:00.123456\",\"event_id\":\"{client}-{number}\",\
         \"item\":{{\"id\":\"A{client}-{number}\",\"name\":\"Alice Smith\",\"email\":\"alice.{client}.{number}@example.com\",\
         \"phone\":\"+1-555-123-4567\",\"contact\":\"lead\",\"created_at\":\"2024-01-15T10:30:00Z\",\"updated_at\":\"2024-01-15T10:30:00Z\"}}}}"
    )
}

/// Reads one answer and tells its status.
fn status(answers: &mut BufReader<TcpStream>) -> Result<u16> {
    let mut line = String::new();
    let (mut status, mut length) = (0, 0_usize);
    loop {
        line.clear();
        ensure!(answers.read_line(&mut line)? > 0, "the connection ended");
        let text = line.trim_end();
        if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
            status = rest.split(' ').next().unwrap_or_default().parse()?;
        } else if let Some(value) = text.strip_prefix("content-length: ") {
            length = value.parse()?;
        } else if text.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok(status)
}

/// How many events the store holds as accepted.
fn accepted(plan: &Plan, config: &Path) -> Result<u64> {
    let output = syncline(plan, config, "ledger --verify").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "the ledger does not balance:\n{text}{}", String::from_utf8_lossy(&output.stderr));
    let word = text.lines().find(|line| line.starts_with("source app")).and_then(|line| line.split("accepted ").nth(1));
    Ok(word.and_then(|rest| rest.split(' ').next()).context("the ledger has no line of the source")?.parse()?)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn at(sorted: &[u64], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default() as f64 / 1000.0
}
