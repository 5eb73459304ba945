//! Record ids: 15 characters that count, 18 that also survive a loss of case.
//!
//! Promises: an id made here has a correct checksum; ids of one prefix sort as their serial numbers do;
//! `read` accepts 15 characters, or 18 if and only if the last three are the checksum of the first 15.
//! Leaves to others: which prefix belongs to which object (`schema`), whether a row exists (`org`).

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// What stands between the object's prefix and the serial number in every id of this org.
const POD: &str = "5g0";
const SERIAL_DIGITS: usize = 9;

/// The integration user, as whom every API call runs.
pub(super) const INTEGRATION_USER: &str = "0055g000007Xy9ZAAS";
/// The person who edits in Salesforce's own pages.
pub(super) const PERSON_USER: &str = "0055g000007Xy9aAAC";

/// The 18 characters of a row's id.
pub(super) fn make(prefix: &str, serial: u64) -> String {
    let mut digits = [b'0'; SERIAL_DIGITS];
    let mut rest = serial;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    let mut id = String::with_capacity(18);
    id.push_str(prefix);
    id.push_str(POD);
    id.extend(digits.iter().map(|digit| char::from(*digit)));
    let check = checksum(&id);
    id.push_str(&check);
    id
}

/// The serial number in an 18 character id of that prefix; None if this org never made such an id.
pub(super) fn serial(prefix: &str, id: &str) -> Option<u64> {
    let digits = id.get(..15)?.strip_prefix(prefix)?.strip_prefix(POD)?;
    digits.bytes().try_fold(0_u64, |sum, byte| {
        let value = DIGITS.iter().position(|digit| *digit == byte)?;
        Some(sum * 62 + u64::try_from(value).ok()?)
    })
}

/// The 18 character form of a well-formed id of either length.
pub(super) fn read(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match text.len() {
        15 => Some(format!("{text}{}", checksum(text))),
        18 => {
            let (short, check) = text.split_at(15);
            checksum(short).eq_ignore_ascii_case(check).then(|| format!("{short}{}", checksum(short)))
        }
        _ => None,
    }
}

/// The three check characters of 15 characters.
fn checksum(short: &str) -> String {
    short
        .as_bytes()
        .chunks(5)
        .take(3)
        .map(|group| {
            let bits =
                group.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase()).fold(0_usize, |sum, (bit, _)| sum | (1 << bit));
            char::from(CHECKS[bits & 31])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{INTEGRATION_USER, PERSON_USER, make, read, serial};

    #[test]
    fn s6_4_checksums_agree_with_the_published_examples() {
        assert_eq!(read("0035500001H9cak").as_deref(), Some("0035500001H9cakAAB"));
        assert_eq!(read("0012300000bVTq1").as_deref(), Some("0012300000bVTq1AAG"));
        for id in ["00D5g000004Kp7QEAS", "0035g00000Qa1ZxAAJ", "00Q5g00000Lm2BcEAJ", INTEGRATION_USER, PERSON_USER] {
            assert_eq!(read(id).as_deref(), Some(id));
            assert_eq!(read(&id[..15]).as_deref(), Some(id));
        }
    }

    #[test]
    fn s6_4_a_wrong_checksum_or_length_is_no_id() {
        for text in ["0035g00000Qa1ZxAAA", "003zz", "", "0035g00000Qa1Z!", "0035g00000Qa1ZxAAJA", "ééééééééé"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn ids_sort_as_their_serials_and_read_back() {
        let first = make("003", 389_000_000);
        let second = make("003", 389_000_001);
        assert!(first < second);
        assert_eq!(serial("003", &first), Some(389_000_000));
        assert_eq!(serial("00Q", &first), None);
        assert_eq!(read(&first), Some(first.clone()));
    }
}
