//! Maps the values of a choice to another system's and back.
//!
//! Promises: no two of ours map to one of theirs, so that the way back is never in doubt.
//! Leaves to others: which values the field itself takes (`schema`).

use std::collections::BTreeMap;

/// A bijection between our values and theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picklist {
    out: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

impl Picklist {
    /// A picklist from (ours, theirs).
    ///
    /// # Errors
    /// Names the value of theirs to which two of ours map.
    pub fn new(out: BTreeMap<String, String>) -> Result<Self, String> {
        let mut back = BTreeMap::new();
        for (ours, theirs) in &out {
            if back.insert(theirs.clone(), ours.clone()).is_some() {
                return Err(theirs.clone());
            }
        }
        Ok(Self { out, back })
    }

    /// Theirs for ours.
    #[must_use]
    pub fn encode(&self, ours: &str) -> Option<&str> {
        self.out.get(ours).map(String::as_str)
    }

    /// Ours for theirs.
    #[must_use]
    pub fn decode(&self, theirs: &str) -> Option<&str> {
        self.back.get(theirs).map(String::as_str)
    }

    /// The pairs of ours and theirs.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.out.iter().map(|(ours, theirs)| (ours.as_str(), theirs.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Picklist;

    #[test]
    fn two_of_ours_must_not_map_to_one_of_theirs() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let picklist = Picklist::new(map(&[("lead", "Open"), ("vendor", "Closed")])).unwrap();
        assert_eq!((picklist.encode("lead"), picklist.decode("Open")), (Some("Open"), Some("lead")));
        assert_eq!((picklist.encode("Open"), picklist.decode("lead")), (None, None));
        assert_eq!(Picklist::new(map(&[("lead", "Open"), ("vendor", "Open")])), Err("Open".to_owned()));
    }
}
