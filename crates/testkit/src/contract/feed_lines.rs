//! Cases about lines: where one ends, what is handed over of one that is no text or too long, and files that change (F8 to F15).
//!
//! Leaves to others: order, positions and polling (`feed_order`).

use syncline_engine::error::Kind;
use syncline_engine::ports::feed::{Feed, FeedInput, Polled};

use super::feed::{Features, Harness, LINE_MAX, drain, feed_cases, inputs, poll, sought, try_poll, whole};

feed_cases! {
    f8_bytes_that_are_no_text_are_handed_over_as_they_are for lines,
    f8_a_line_ends_at_a_line_feed_without_its_carriage_return for lines,
    f8_a_blank_line_is_no_input_but_a_line for lines,
    f9_an_overlong_line_is_told_by_its_head_and_the_next_is_whole for lines,
    f9_a_line_of_just_the_bound_is_whole for lines,
    f9_a_carriage_return_at_the_bound_does_not_hide_what_is_cut_off for lines,
    f11_a_shorter_log_is_a_new_epoch for another,
    f11_another_first_line_is_noticed_between_two_polls for another,
    f12_a_growing_log_is_one_epoch_for_the_feed_that_reads_it for |features| features.has_lines && features.grows,
    f13_an_unfinished_line_waits_for_its_end for |features| features.has_lines && features.grows,
    f13_the_end_of_a_log_ends_its_last_line for |features| features.has_lines && !features.grows,
    f15_a_log_that_cannot_be_read_fails_and_goes_on for |features| features.can_fail && !features.grows,
    f15_a_followed_log_that_is_not_there_yet_is_empty for |features| features.can_fail && features.grows,
}

fn lines(features: Features) -> bool {
    features.has_lines
}

fn another(features: Features) -> bool {
    features.has_lines && features.notices_another_log
}

fn raw(inputs: &[FeedInput]) -> Vec<&[u8]> {
    inputs.iter().map(|input| input.raw.as_slice()).collect()
}

fn next(feed: &mut dyn Feed) -> Vec<FeedInput> {
    poll(feed, 10).map_or_else(Vec::new, |group| group.inputs)
}

fn f8_bytes_that_are_no_text_are_handed_over_as_they_are(harness: &dyn Harness) {
    harness.append(b"\xff\xfe\x00 no text\n{\"half\": \nplain\n");
    let inputs = whole(harness);
    assert_eq!(raw(&inputs), [&b"\xff\xfe\x00 no text"[..], b"{\"half\": ", b"plain"]);
    assert!(inputs.iter().all(|input| input.broken.is_none()));
}

fn f8_a_line_ends_at_a_line_feed_without_its_carriage_return(harness: &dyn Harness) {
    harness.append(b"one\r\ntwo\rtwo\n\xef\xbb\xbfthree\n");
    assert_eq!(raw(&whole(harness)), [&b"one"[..], b"two\rtwo", b"\xef\xbb\xbfthree"]);
}

fn f8_a_blank_line_is_no_input_but_a_line(harness: &dyn Harness) {
    harness.append(b"one\n\n  \r\nfour\n");
    let inputs = whole(harness);
    assert_eq!(raw(&inputs), [&b"one"[..], b"four"]);
    assert!(inputs[0].place.ends_with(":1") && inputs[1].place.ends_with(":4"), "{inputs:?}");
    let group = drain(&mut *sought(harness, None), 10).pop().expect("a group");
    assert_eq!(group.checkpoint.position, 2);
}

fn f9_an_overlong_line_is_told_by_its_head_and_the_next_is_whole(harness: &dyn Harness) {
    let long = [vec![b'x'; LINE_MAX * 300], b"\nnext\n".to_vec()].concat();
    harness.append(&long);
    let inputs = whole(harness);
    assert_eq!(inputs.len(), 2);
    assert!(inputs[0].raw.len() <= LINE_MAX && long.starts_with(&inputs[0].raw) && !inputs[0].raw.is_empty());
    let reason = inputs[0].broken.as_deref().expect("a reason");
    assert!(reason.contains(&LINE_MAX.to_string()), "{reason}");
    assert_eq!((inputs[1].raw.as_slice(), &inputs[1].broken), (&b"next"[..], &None));
}

fn f9_a_line_of_just_the_bound_is_whole(harness: &dyn Harness) {
    let line = vec![b'x'; LINE_MAX];
    harness.append(&[&line[..], b"\r\n", &line, b"y\n"].concat());
    let inputs = whole(harness);
    assert_eq!((&inputs[0].raw, &inputs[0].broken), (&line, &None));
    assert!(inputs[1].broken.is_some());
}

fn f9_a_carriage_return_at_the_bound_does_not_hide_what_is_cut_off(harness: &dyn Harness) {
    let line = [&vec![b'x'; LINE_MAX][..], b"\rmore\n"].concat();
    harness.append(&line);
    let inputs = whole(harness);
    assert!(inputs.len() == 1 && inputs[0].broken.is_some());
}

fn f11_a_shorter_log_is_a_new_epoch(harness: &dyn Harness) {
    harness.append(b"one\ntwo\nthree\n");
    let last = drain(&mut *sought(harness, None), 10).pop().expect("a group");
    harness.replace(b"one\ntwo\n");
    let groups = drain(&mut *sought(harness, Some(last.checkpoint)), 10);
    assert!(groups[0].epoch > last.epoch);
    assert_eq!((groups[0].first_position, raw(&inputs(&groups))), (0, vec![&b"one"[..], b"two"]));
}

fn f11_another_first_line_is_noticed_between_two_polls(harness: &dyn Harness) {
    harness.append(b"one\ntwo\n");
    let mut feed = sought(harness, None);
    let first = poll(&mut *feed, 1).expect("a group");
    harness.replace(b"uno\ndue\ntre\n");
    let second = poll(&mut *feed, 10).expect("the new log");
    assert!(second.epoch > first.epoch);
    assert_eq!((second.first_position, raw(&second.inputs)), (0, vec![&b"uno"[..], b"due", b"tre"]));
}

fn f12_a_growing_log_is_one_epoch_for_the_feed_that_reads_it(harness: &dyn Harness) {
    let mut feed = sought(harness, None);
    let mut epochs = Vec::new();
    for line in [&b"one\n"[..], b"two\n", b"three\n"] {
        harness.append(line);
        let group = poll(&mut *feed, 10).expect("the line");
        assert_eq!(raw(&group.inputs), [line.trim_ascii_end()]);
        epochs.push(group.epoch);
    }
    assert!(epochs.windows(2).all(|pair| pair[0] == pair[1]));
}

fn f13_an_unfinished_line_waits_for_its_end(harness: &dyn Harness) {
    harness.append(b"one\nha");
    let mut feed = sought(harness, None);
    assert_eq!(raw(&next(&mut *feed)), [b"one"]);
    assert_eq!(raw(&next(&mut *feed)), Vec::<&[u8]>::new());
    harness.append(b"lf");
    assert_eq!(raw(&next(&mut *feed)), Vec::<&[u8]>::new());
    harness.append(b"\nnext\n");
    assert_eq!(raw(&next(&mut *feed)), [&b"half"[..], b"next"]);
}

fn f13_the_end_of_a_log_ends_its_last_line(harness: &dyn Harness) {
    harness.append(b"one\nlast");
    assert_eq!(raw(&whole(harness)), [&b"one"[..], b"last"]);
}

fn f15_a_log_that_cannot_be_read_fails_and_goes_on(harness: &dyn Harness) {
    harness.remove();
    let mut feed = sought(harness, None);
    let error = try_poll(&mut *feed, 10).expect_err("nothing can be read");
    assert_eq!(error.kind, Kind::FeedUnavailable);
    harness.append(b"one\n");
    assert_eq!(raw(&next(&mut *feed)), [b"one"]);
}

fn f15_a_followed_log_that_is_not_there_yet_is_empty(harness: &dyn Harness) {
    harness.remove();
    let mut feed = sought(harness, None);
    assert!(matches!(try_poll(&mut *feed, 10), Ok(Polled::Idle { .. })));
    harness.append(b"one\n");
    assert_eq!(raw(&next(&mut *feed)), [b"one"]);
}
