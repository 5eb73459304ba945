//! The one table of error codes.
//!
//! Promises: in the order of their numbers; a number is never given to another code. `words` are the names that a letter or a
//! problem bears for the same thing. Leaves to others: who leads to which code (`codes`).

/// What is known of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What happened, in a few words.
    pub title: &'static str,
    /// How it comes about.
    pub cause: &'static str,
    /// What a person can do.
    pub remedy: &'static str,
    /// The exit code of a command that ends by it.
    pub exit: Option<u8>,
    /// Its names in letters and problems.
    pub words: &'static [&'static str],
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $exit:expr, [$($word:literal),*], $title:literal, $cause:literal, $remedy:literal;)*) => {
        /// An error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Code { $(#[doc = $title] $variant = $number),* }

        impl Code {
            /// Every one, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What is known of it.
            #[must_use]
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry { title: $title, cause: $cause, remedy: $remedy, exit: $exit, words: &[$($word),*] }),*
                }
            }
        }
    };
}

codes! {
    BadConfiguration = 1000, Some(78), [], "the configuration does not fit what was found", "A system, a file or an account is not as the configuration says.", "Correct the configuration and start again.";
    ConfigurationUnreadable = 1001, Some(78), [], "the configuration cannot be read", "The file is not there, this user may not read it, or it is no text.", "Name the file with `-c FILE`; `config/default.yaml` shows every key.";
    NotYaml = 1002, Some(78), [], "the configuration is no YAML", "Indentation, a quote, a colon or a bracket is wrong, or a key stands twice.", "Look at the line that is shown and the one before it.";
    UnknownKey = 1003, Some(78), [], "there is no such key", "The key is misspelt, or belongs to another section.", "Take the key that is proposed; the reference of the configuration lists every one.";
    MissingKey = 1004, Some(78), [], "a key is missing", "The section cannot do without it.", "Add the key as the message shows it.";
    WrongForm = 1005, Some(78), [], "a value has the wrong form", "A number, time, list or map was expected, or the value is out of bounds.", "Write the value in the form that the message names.";
    VariableUnset = 1006, Some(78), [], "an environment variable is not set", "The configuration names `${NAME}` and the environment of the process has no such variable.", "Set the variable before the start.";
    SecretUnusable = 1007, Some(78), [], "a secret cannot be used", "It stands in plain text, is empty, holds spaces, or its file cannot be read.", "Put it into an environment variable and write `${NAME}`, or into a file and write `file:/path`; replace a secret that others have seen.";
    UnknownName = 1008, Some(78), [], "nothing bears this name", "A kind, type, codec, system or object is named that there is not.", "Take one of the names that the message lists.";
    NeedsStart = 1009, Some(78), [], "a key cannot change while the process runs", "Systems, feeds, the store and the address for callers are set up once, at the start.", "Start the process anew, or put back what stood there; `docs/guide/configure.md` lists what may change.";
    SystemMisfit = 1101, Some(78), [], "a system's settings do not fit together", "A setting under `systems` contradicts another or the kind of the system.", "Do what the message says for the key that it names.";
    RoutingMisfit = 1201, Some(78), [], "the routing does not fit the systems", "A type is routed to a system that is not there, takes no writes or has no object for it.", "Correct the route, or name an object for the type.";
    BoundaryMisfit = 1301, Some(78), [], "a boundary does not fit", "A mapping row, authority or codec under `boundaries` contradicts the record type or another row.", "Do what the message says for the row that it names.";
    RecordTypeMisfit = 1401, Some(78), [], "a record type does not fit", "A field or name under `record_types` contradicts another.", "Do what the message says for the field that it names.";
    RunningMisfit = 1501, Some(78), [], "a setting of the process does not fit", "A setting of store, data, log, dispatch, intake or api contradicts another.", "Do what the message says for the key that it names.";
    TenantsMisfit = 1601, Some(78), [], "there is one tenant", "`tenants` is written, and this release serves one.", "Write the systems under `systems`, and run one process for each tenant.";

    InvalidJson = 2001, Some(65), ["invalid_json"], "the event is no JSON", "The bytes do not read as one JSON object in UTF-8.", "Send one JSON object; in files one a line.";
    DuplicateKey = 2002, Some(65), ["duplicate_key"], "a key stands twice", "An object of the event bears a key more than once, so nobody knows which value counts.", "Send each key once.";
    TooDeep = 2003, Some(65), ["too_deep"], "the event is nested too deeply", "Lists or objects lie in each other deeper than is read.", "Send a flatter event.";
    TooLong = 2004, Some(65), ["too_long"], "a text is too long", "An input, an id or a field's text is longer than the place that shall take it. Nothing is cut.", "Shorten it, or lengthen the field in the external system.";
    TooManyKeys = 2005, Some(65), ["too_many_keys"], "the event has too many keys", "An object has more keys than are read.", "Send the fields of the record type and no others.";
    UnknownRecordType = 2006, Some(65), ["unknown_record_type"], "there is no such record type", "`record` names a type that neither ships nor is configured.", "Correct it, or configure the type under `record_types`.";
    UnknownOperation = 2007, Some(65), ["unknown_operation"], "there is no such operation", "`operation` is none of create, update and delete.", "Send one of the three.";
    UnknownField = 2008, Some(65), ["unknown_field"], "there is no such field", "The item holds a field that its record type does not have.", "Leave it out, or add it to the record type's fields in the configuration.";
    MissingField = 2009, Some(65), ["missing_field"], "a field is missing", "The event lacks what every event must have.", "Send the field that is named.";
    WrongType = 2010, Some(65), ["wrong_type"], "a value has the wrong type", "The JSON type is not what the field takes.", "Send the type that is named, or null.";
    InvalidValue = 2011, Some(65), ["invalid_value"], "a value is not valid in its field", "The value breaks the field's rule, or is not in the mapping row's table.", "Correct the value, or the table of the row.";
    BadTimestamp = 2012, Some(65), ["bad_timestamp"], "a time does not read", "It is no RFC 3339 time, or lacks the offset that a CloudEvents time must have.", "Send `2024-01-15T10:30:00Z` or the like.";
    IdReuse = 2013, Some(65), ["id_reuse"], "an event id was used before with another body", "Two different events bear one explicit id.", "Give every event an id of its own.";
    BadAttribute = 2021, Some(65), ["bad_attribute"], "a CloudEvents attribute is not valid", "An attribute is missing, empty or of the wrong form.", "Send the attribute as CloudEvents 1.0 says.";
    UnknownSpecversion = 2022, Some(65), ["unknown_specversion"], "the CloudEvents version is not known", "`specversion` is not 1.0.", "Send CloudEvents 1.0.";
    UnsupportedData = 2023, Some(65), ["unsupported_data"], "the CloudEvents data cannot be read", "The data is no JSON object, or is given in a form that is not taken.", "Send `data` as a JSON object with `datacontenttype: application/json`.";
    FeedUnavailable = 2101, Some(66), [], "a source cannot be read", "The file or stream of a feed cannot be opened or read for now.", "See that the source can be read; nothing is lost, it goes on from its checkpoint.";

    NoEventTaken = 3001, None, ["invalid_events"], "no event could be taken", "Every event of the request is refused.", "Correct the events that `errors` names and send them again.";
    BadIdempotencyKey = 3002, None, ["bad_idempotency_key"], "the Idempotency-Key does not read", "It is empty, too long or holds other than visible ASCII.", "Send 1 to 255 visible ASCII characters.";
    Unauthorized = 3003, None, ["unauthorized"], "a token is needed", "The request bears no token, or none that is in force.", "Send `Authorization: Bearer` and a token that is in force.";
    NoSuchResource = 3004, None, ["not_found"], "there is no such resource", "The path leads nowhere.", "See the documentation of the API for its paths.";
    MethodNotAllowed = 3005, None, ["method_not_allowed"], "the resource has no such method", "The path knows other methods.", "Use one of the methods in `Allow`.";
    BodyTimeout = 3006, None, ["body_timeout"], "the body did not come in time", "The sender paused or was too slow.", "Send the body without pauses, or in smaller requests.";
    KeyInProgress = 3007, None, ["key_in_progress"], "a request with this Idempotency-Key is under way", "The first request has no answer yet.", "Wait for its answer, then ask again.";
    BodyTooLarge = 3008, None, ["body_too_large"], "the body is too large", "It is longer than `api.limits` allows.", "Send fewer events in one request.";
    TooManyEvents = 3009, None, ["too_many_events"], "the request holds too many events", "It holds more events than `api.limits` allows.", "Send fewer events in one request.";
    UnsupportedContentType = 3010, None, ["unsupported_content_type"], "the content type is not taken", "`Content-Type` names none of the forms that are read.", "Name the body's type in `Content-Type`.";
    UnsupportedContentEncoding = 3011, None, ["unsupported_content_encoding"], "the content encoding is not taken", "The body is compressed.", "Send the body without `Content-Encoding`.";
    KeyReused = 3012, None, ["key_reused"], "this Idempotency-Key belongs to another request", "The key was used before with another body.", "Use a key of its own for every request.";
    TooManyRequests = 3013, None, ["too_many_requests"], "the token asks too often", "More requests than `api.limits` allows for one token.", "Wait as long as `Retry-After` says.";
    RequestFailed = 3014, None, ["internal"], "the process has a defect", "The request met a state that should not be.", "Send the events again under the same ids; report this with the request id.";
    QueueFull = 3015, None, ["queue_full"], "too many events wait already", "Intake is slower than callers for now.", "Wait as long as `Retry-After` says, then send the events again.";
    StoreUnavailableToCaller = 3016, None, ["store_unavailable"], "events cannot be made durable for now", "The store cannot be written.", "Send the events again under the same ids.";
    StoreFullToCaller = 3017, None, ["store_full"], "events cannot be made durable: the disk is full", "The store's disk is full.", "Send the events again under the same ids once there is room.";
    Stopping = 3018, None, ["stopping"], "the process is stopping", "It was told to stop and takes nothing new.", "Send the events again under the same ids.";
    NotConfirmed = 3019, None, ["not_confirmed"], "it is not known yet whether the events were taken", "The commit did not answer in time.", "Send them again under the same ids or `Idempotency-Key`.";

    Unreachable = 4001, Some(69), [], "a system cannot be reached", "Its address does not resolve, refuses connections, or does not answer in time.", "Check the address and the network; work goes on by itself.";
    CredentialsRefused = 4002, Some(77), [], "a system refuses the credentials", "They are wrong, expired or withdrawn, or the app behind them lost its permission.", "Renew the credentials in the configuration.";
    StrangeAnswer = 4003, Some(69), [], "a system answered in a way that its documentation does not know", "The address leads to another service, or the API version is no longer served.", "See whether the address is the right one and the version is still served.";
    NotSetUp = 4004, Some(78), [], "the other side is not set up", "The key field, a permission or an object is missing in the account.", "Set the account up as the message and the how-to describe, then start again.";
    SignInEnded = 4005, Some(77), [], "the sign-in has ended", "The refresh token or the app's permission was withdrawn, so that only a person can sign in again.", "Sign in anew as the message says, put the new credentials into the configuration, then resume the system.";

    RefusedBySystem = 5001, None, [], "the system refuses the record", "The CRM refused this record for good; the letter bears the CRM's own code.", "Do what the letter's remedy says, then `syncline dead-letters replay`.";
    Gone = 5002, None, ["gone"], "the record was deleted over there", "Somebody deleted it in the CRM.", "Restore it there and replay, or set `on_gone: recreate` for the system and replay.";
    GaveUp = 5003, None, ["gave_up"], "the time for tries is used up", "The system refused the record for now, again and again, longer than the time budget.", "See what is wrong over there, then replay.";
    IdentityCollision = 5004, None, ["identity_collision"], "two records of ours claim one value", "A value that must be unique stands in two records.", "Correct one of the two; the other is tried again when the value is free.";
    Taken = 5005, None, ["taken"], "a record that is not ours holds the value", "A value that must be unique is held by a stranger in the CRM.", "Merge or correct the two over there and replay, or set `on_existing: link`.";
    Unsendable = 5006, None, ["unsendable"], "the record cannot be put on the wire", "What the request needs of it is not known.", "Send a new event of the record; report this if it comes again.";
    Required = 5007, None, ["required"], "a required field has no value", "The CRM's object demands a field for which the record has none.", "Give the record a value, or configure a filler.";
    ExpressionFailed = 5008, None, ["expression"], "a computed field cannot be computed", "The row's expression fails for this record: a field is null where it has no default, or it takes too many steps.", "Give the record the field, or write `default('…')` into the expression, or an `on_invalid` into the row; then replay.";
    WritesPaused = 5101, None, [], "a system's writes are paused", "An operator paused them, too many records were refused for one reason, or a fault concerns every record.", "Mend what the reason names, then `syncline resume SYSTEM`.";
    DeletesPaused = 5102, None, [], "a system's deletes are paused", "The fuse stopped a share of deletes that looks like an accident.", "See whether the deletes are meant, then `syncline resume SYSTEM`.";
    ObjectPaused = 5103, None, [], "writes to one object are paused", "Its schema was changed over there: a mapped field is gone, read-only, narrower or of another type. Other objects go on.", "Take the change back, or correct the mapping and start again; then `syncline resume SYSTEM`, which looks first and lets it go on only if it fits.";

    StoreUnavailable = 6001, Some(74), [], "the store cannot be written", "Its disk or directory cannot be written, or it is locked.", "See that the disk and the directory can be written; work goes on by itself.";
    StoreFull = 6002, Some(74), [], "the store's disk is full", "No byte is left for a commit.", "Free space; work goes on by itself.";
    StoreNewer = 6003, Some(78), [], "a newer release wrote the database", "Its schema is newer than this program.", "Use the release that wrote it, or a newer one.";
    StoreCorrupt = 6004, Some(65), [], "the database does not read as it was written", "Rows were altered from outside, or the disk is at fault.", "Restore the database from a copy; `syncline ledger --verify` names the rows.";
    StoreOwned = 6005, Some(75), [], "another process owns the store", "A process has the database open.", "Stop the other process, or talk to it through its socket.";

    NotPossible = 7001, Some(1), [], "what was asked for is not there or not possible", "The name or number does not exist, or its state does not allow it.", "Look the name or number up with the list command.";
    BadData = 7002, Some(65), [], "the input is not valid", "What was given cannot be read as what the command takes.", "Do what the message says.";
    NoInput = 7003, Some(66), [], "the input is not there", "The file, store or process that is named does not exist or cannot be read.", "Name one that does.";
    Usage = 7004, Some(64), [], "the command line is wrong", "There is no such command or option, or one is missing.", "`syncline --help` lists the commands, `syncline COMMAND --help` the options.";
    Unavailable = 7005, Some(69), [], "something that the command needs is not available", "An address is in use or cannot be reached.", "Do what the message says.";
    CannotCreate = 7006, Some(73), [], "the output cannot be created", "The directory is not there or cannot be written.", "Name a file in a directory that can be written.";
    CannotWrite = 7007, Some(74), [], "the output cannot be written", "The disk is full or at fault.", "See that the disk has room.";
    TryLater = 7008, Some(75), [], "it did not work for now", "Another process was in the way, or went away.", "Ask again in a moment.";
    NotPermitted = 7009, Some(77), [], "this user may not do that", "The file or socket belongs to another user.", "Be the user that the process runs as.";

    Defect = 9001, Some(70), [], "the program has a defect", "It met a state that should not be.", "Report this with the output of the command.";
}
