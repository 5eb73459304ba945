//! One short text for all that the CRMs hold, to tell whether two runs ended alike.
//!
//! Promises: live records in any order with the same fields give the same digest; ids and stamps that a CRM gives by
//! itself, and the marker of the last write, do not count. Not a defence against forgery.
//! Leaves to others: whether the contents are right (`compare`).

use std::collections::BTreeMap;

use super::System;
use crate::crm::StoredRecord;

/// Fields that differ between two runs with the same outcome, in lower case.
const IGNORED: [&str; 16] = [
    "archivedat",
    "createdate",
    "createdbyid",
    "createddate",
    "hs_createdate",
    "hs_lastmodifieddate",
    "hs_object_id",
    "id",
    "lastmodifiedbyid",
    "lastmodifieddate",
    "lastreferenceddate",
    "lastvieweddate",
    "ownerid",
    "syncline_rev",
    "syncline_rev__c",
    "systemmodstamp",
];

/// A stable digest of the live records' contents: their number and 64 bits (FNV-1a), as in `12-9ae16a3b2f90404f`.
#[must_use]
pub fn digest(actual: &[(System, StoredRecord)]) -> String {
    let live = actual.iter().filter(|(_, record)| !record.deleted);
    let mut lines: Vec<String> = live.map(|(system, record)| line(*system, record)).collect();
    lines.sort_unstable();
    let hash = lines.iter().flat_map(|line| line.bytes().chain([b'\n'])).fold(OFFSET, fnv1a);
    format!("{}-{hash:016x}", lines.len())
}

/// Debug text quotes and escapes, so that no two different records give one line.
fn line(system: System, record: &StoredRecord) -> String {
    let counts = |(name, value): &(&String, &String)| {
        !value.is_empty() && !IGNORED.contains(&name.to_ascii_lowercase().as_str())
    };
    let fields: BTreeMap<&String, &String> = record.fields.iter().filter(counts).collect();
    format!("{system} {:?} {fields:?}", record.object)
}

const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;

fn fnv1a(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
}
