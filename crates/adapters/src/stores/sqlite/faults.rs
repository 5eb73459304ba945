//! Turns what SQLite says into errors of the engine's kinds.
//!
//! Promises: no message holds a field value; a full disk, a store that cannot be written for now and a malformed one
//! are told apart. Leaves to others: what is done about each kind (`engine::error::policy`).

use rusqlite::ErrorCode;
use syncline_engine::error::{Error, Kind};

/// What a failed call to SQLite means.
pub(super) fn fault(doing: &str, error: rusqlite::Error) -> Error {
    let kind = kind(&error);
    Error::new(kind, format!("{doing}: {error}")).caused_by(error)
}

/// A row that does not read as we write rows.
pub(super) fn corrupt(what: impl Into<String>) -> Error {
    Error::new(Kind::StoreCorrupt, what)
}

/// A change that does not fit the rows that are there: a defect of the caller.
pub(super) fn misfit(what: impl Into<String>) -> Error {
    Error::new(Kind::Internal, what)
}

/// Whether the store itself is at fault, so that another set would fare no better.
pub(super) fn concerns_every_set(kind: Kind) -> bool {
    matches!(kind, Kind::StoreFull | Kind::StoreUnavailable | Kind::StoreCorrupt)
}

/// The same error for one more waiter.
pub(super) fn repeated(error: &Error) -> Error {
    let copy = Error::new(error.kind, error.message.clone());
    match &error.remedy {
        Some(remedy) => copy.with_remedy(remedy.clone()),
        None => copy,
    }
}

fn kind(error: &rusqlite::Error) -> Kind {
    let Some(code) = error.sqlite_error_code() else {
        return Kind::StoreCorrupt;
    };
    match code {
        ErrorCode::DiskFull => Kind::StoreFull,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::OutOfMemory => Kind::StoreUnavailable,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Kind::StoreCorrupt,
        ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::TooBig
        | ErrorCode::InternalMalfunction
        | ErrorCode::OperationAborted
        | ErrorCode::OperationInterrupted
        | ErrorCode::NotFound
        | ErrorCode::SchemaChanged
        | ErrorCode::ApiMisuse
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::ParameterOutOfRange
        | ErrorCode::Unknown
        | _ => Kind::Internal,
    }
}
