//! How every command behaves toward terminals, pipes, shells and mistyped words.

use std::process::Stdio;

use syncline_sandbox::sandbox::SandboxConfig;
use tempfile::TempDir;

use crate::world::{World, binary, spawn, syncline};

#[test]
fn shells_and_man_know_every_command() {
    let folder = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = syncline(folder.path(), &["completions", shell]);
        assert_eq!((script.exit, script.err.as_str()), (0, ""));
        assert!(script.out.contains("dead-letters") && script.out.contains("completions"), "{shell}");
    }
    assert_eq!(syncline(folder.path(), &["completions", "tcsh"]).exit, 64);
    let page = syncline(folder.path(), &["man"]);
    assert!(page.exit == 0 && page.out.contains(".TH syncline 1") && page.out.contains("dead\\-letters"), "{}", page.out);
    let pages = syncline(folder.path(), &["man", "pages"]);
    assert_eq!(pages.exit, 0, "{}", pages.err);
    let replay = std::fs::read_to_string(folder.path().join("pages/syncline-dead-letters-replay.1")).unwrap();
    assert!(replay.contains("\\-\\-all\\-waiting"), "{replay}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(syncline(folder.path(), &["man", "file"]).exit, 73);
}

#[test]
fn a_reader_that_is_gone_before_the_first_word_is_no_error() {
    let folder = TempDir::new().unwrap();
    for args in [&["--help"][..], &["completions", "bash"], &["man"], &["generate", "--events", "1000"]] {
        // The reading end is closed before the command can have written anything that it would read.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = spawn(binary(folder.path()).args(args).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()));
        let ended = child.wait_with_output().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let folder = TempDir::new().unwrap();
    let error = |args: &[&str], environment: &[(&str, &str)]| {
        let mut command = binary(folder.path());
        command.args(args).envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        String::from_utf8(spawn(&mut command).wait_with_output().unwrap().stderr).unwrap()
    };
    let missing = ["check", "-c", "nowhere.yaml"];
    assert!(!error(&missing, &[]).contains('\u{1b}'), "a pipe is no terminal");
    assert!(error(&missing, &[("FORCE_COLOR", "1")]).contains("\u{1b}[1;31merror[SYN-"));
    assert!(!error(&missing, &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(error(&[&missing[..], &["--color", "always"]].concat(), &[("NO_COLOR", "1")]).contains('\u{1b}'));
    let help = syncline(folder.path(), &["--color=always", "ledger", "--help"]);
    assert!(help.out.starts_with("Examples:\n") && help.out.contains('\u{1b}'), "{}", help.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_for_people_programs_and_pipes() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    let lines = world.syncline(&["dead-letters", "list", "--jsonl"]);
    let letters: Vec<serde_json::Value> = lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((letters.len(), &letters[0]["format_version"], &letters[0]["id"]), (2, &1.into(), &1.into()));
    assert_eq!(world.syncline(&["dead-letters", "list", "--jsonl", "--json"]).exit, 64);
    assert!(world.syncline(&["pause", "salesfroce"]).err.contains("did you mean salesforce?"));
    assert!(world.syncline(&["records", "show", "contcts", "A1"]).err.contains("did you mean contacts?"));
    process.stop().await;
    world.end().await;
}

#[test]
fn init_writes_what_check_passes_and_overwrites_nothing() {
    let folder = TempDir::new().unwrap();
    let written = syncline(folder.path(), &["init", "--from", "stdin", "--to", "hubspot"]);
    assert_eq!((written.exit, written.out.as_str()), (0, ""), "{}", written.err);
    let mut tested = binary(folder.path());
    let tested = spawn(tested.env_clear().arg("test").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())).wait_with_output().unwrap();
    let told = String::from_utf8(tested.stdout).unwrap();
    assert!(tested.status.code() == Some(0) && told.starts_with("syncline.test.yaml\n  ok   a customer goes to HubSpot"), "{told}");
    let checked = syncline(folder.path(), &["check"]);
    assert_eq!(checked.exit, 0, "{}", checked.err);
    let text = std::fs::read_to_string(folder.path().join("syncline.yaml")).unwrap();
    let again = syncline(folder.path(), &["init", "--from", "generator"]);
    assert_eq!(again.exit, 73);
    assert!(again.err.contains("syncline.yaml is there already") && again.err.contains("--force"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(folder.path().join("syncline.yaml")).unwrap(), text);
    assert_eq!(syncline(folder.path(), &["init", "--from", "generator", "--force"]).exit, 0);
    let out = syncline(folder.path(), &["init", "--no-input", "-"]);
    insta::assert_snapshot!("init_defaults", out.told());
    assert_eq!(syncline(folder.path(), &["init", "nowhere/syncline.yaml"]).exit, 73);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_grouped_by_cause_and_a_process_is_seen_at_a_glance() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    insta::assert_snapshot!("letters_by_cause", world.syncline(&["dead-letters", "list", "--by-cause"]).told());
    let causes = world.syncline(&["dead-letters", "list", "--by-cause", "--json"]).json();
    assert_eq!((causes["causes"].as_array().unwrap().len(), &causes["causes"][0]["count"]), (2, &1.into()));
    let glance = world.syncline(&["top", "--once", "--json"]).json();
    assert_eq!((&glance["offered"], &glance["dead_letters"], &glance["lanes"][0]["phase"]), (&5.into(), &2.into(), &"running".into()));
    let lines = world.syncline(&["top"]);
    assert!(lines.exit == 0 && lines.out.contains("quota left") && !lines.out.contains('\u{1b}'), "{}{}", lines.out, lines.err);
    process.stop().await;
    world.end().await;
}
