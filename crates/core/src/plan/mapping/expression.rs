//! Expressions of computed rows: text with `{{ … }}` in it, in Jinja's spelling.
//!
//! Promises: compiled once, when the configuration is checked; what is unknown (a variable, field, filter, test or function)
//! is found then, with its place, whichever branch it stands in. Evaluation knows the record and nothing else, has no clock
//! and no chance, ends by its fuel, and never takes data for a template. No fault holds a value.
//! Leaves to others: the type of the result (`row`), what becomes of a failure (`project`).

use std::fmt;
use std::sync::Arc;

use minijinja::machinery::ast::{CallArg, Expr, Stmt};
use minijinja::machinery::{Span, parse};
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value as Jinja, escape_formatter};

use crate::record::{Fields, Value};

/// Steps that one evaluation may take; each also pays for 64 bytes that are made.
pub const FUEL: u64 = 20_000;
/// The longest result in bytes.
pub const RESULT_BYTES_MAX: usize = 64 * 1024;
/// The longest expression in bytes.
pub const SOURCE_BYTES_MAX: usize = 8 * 1024;

const NAME: &str = "row";
const VARIABLES: [&str; 2] = ["record", "key"];
/// Filters whose result is the same for the same record, and their parameters need no other names.
const FILTERS: [&str; 18] = [
    "abs", "bool", "capitalize", "default", "first", "float", "int", "join", "last", "length", "lower", "replace", "round", "split",
    "string", "title", "trim", "upper",
];
const TESTS: [&str; 8] = ["defined", "undefined", "startingwith", "endingwith", "in", "eq", "ne", "number"];

/// A compiled expression.
#[derive(Clone)]
pub struct Expression {
    source: String,
    compiled: Arc<Environment<'static>>,
}

/// Why an expression cannot be, with the place within its text. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// The line.
    pub line: usize,
    /// The column in characters, where it is known.
    pub column: Option<usize>,
    /// How many characters it takes.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// The wrong name and the names that are known there, if a name is wrong.
    pub name: Option<(String, Vec<String>)>,
}

/// Why an expression gave no value for one record. Holds no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationFault {
    /// It uses a field that the record does not have.
    Undefined,
    /// It took too many steps, or made too much text.
    OutOfFuel,
    /// Its result is too long.
    TooLong,
    /// It does with a value what cannot be done.
    Failed,
}

impl EvaluationFault {
    /// What is wrong, to be read after "the expression", and what to do about it.
    #[must_use]
    pub const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Undefined => ("uses a field that is null", "give the record the field, or write default('…') behind it in the expression"),
            Self::OutOfFuel => ("takes more steps than an expression may", "write a simpler expression"),
            Self::TooLong => ("gives more text than a field may hold", "write an expression with a shorter result"),
            Self::Failed => ("does with a value what cannot be done", "try the record with map, and write the expression so that it takes such values"),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// Nothing alters what was compiled, so a panic elsewhere leaves it whole.
impl std::panic::RefUnwindSafe for Expression {}
impl std::panic::UnwindSafe for Expression {}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}

impl Expression {
    /// Compiles `source` for records with these fields.
    ///
    /// # Errors
    /// If it cannot be read, or names what does not exist.
    pub fn compile(source: &str, fields: &[&str]) -> Result<Self, ExpressionFault> {
        if source.len() > SOURCE_BYTES_MAX {
            let message = format!("is longer than the {SOURCE_BYTES_MAX} bytes that an expression may have");
            return Err(ExpressionFault { line: 1, column: None, length: 1, message, name: None });
        }
        let unreadable = |error: &minijinja::Error| ExpressionFault {
            line: error.line().unwrap_or(1),
            column: None,
            length: 1,
            message: format!("cannot be read: {}", error.detail().unwrap_or("a syntax error")),
            name: None,
        };
        let tree = parse(source, NAME, minijinja::syntax::SyntaxConfig::default()).map_err(|error| unreadable(&error))?;
        Names { source, fields }.statement(&tree)?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        // Our truth values are `true` and `false` on every wire; Jinja's own are Python's.
        environment.set_formatter(|out, state, value| match bool::try_from(value.clone()) {
            Ok(truth) if value.kind() == ValueKind::Bool => out.write_str(if truth { "true" } else { "false" }).map_err(minijinja::Error::from),
            Ok(_) | Err(_) => escape_formatter(out, state, value),
        });
        for global in ["range", "dict", "debug", "namespace"] {
            environment.remove_global(global);
        }
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| unreadable(&error))?;
        Ok(Self { source: source.to_owned(), compiled: Arc::new(environment) })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its result for one record.
    ///
    /// # Errors
    /// If it uses what the record does not have, runs out of fuel, or cannot do what it says.
    pub fn evaluate(&self, key: &str, fields: &Fields) -> Result<String, EvaluationFault> {
        let record = Jinja::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), shown(value))));
        let context = Jinja::from_pairs([("record", record), ("key", Jinja::from(key))]);
        let template = self.compiled.get_template(NAME).map_err(|_| EvaluationFault::Failed)?;
        let told = [(ErrorKind::UndefinedError, EvaluationFault::Undefined), (ErrorKind::OutOfFuel, EvaluationFault::OutOfFuel)];
        let result = template.render(context).map_err(|error| {
            told.iter().find(|(kind, _)| *kind == error.kind()).map_or(EvaluationFault::Failed, |(_, fault)| *fault)
        })?;
        if result.len() > RESULT_BYTES_MAX { Err(EvaluationFault::TooLong) } else { Ok(result) }
    }
}

/// A whole number is a number; any other number is its exact text, since there are no exact decimals to compute with.
fn shown(value: &Value) -> Jinja {
    match value {
        Value::Text(text) => Jinja::from(text.as_str()),
        Value::Bool(truth) => Jinja::from(*truth),
        Value::Number { number } => number.parse::<i128>().map_or_else(|_| Jinja::from(number.as_str()), Jinja::from),
    }
}

/// Looks at every name of an expression.
struct Names<'n> {
    source: &'n str,
    fields: &'n [&'n str],
}

type Looked = Result<(), ExpressionFault>;

impl Names<'_> {
    fn fault(&self, span: Span, message: String, name: Option<(String, Vec<String>)>) -> ExpressionFault {
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        let before = self.source.get(..start).unwrap_or(self.source);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let marked = self.source.get(start..end).unwrap_or_default();
        ExpressionFault {
            line: before.matches('\n').count() + 1,
            column: Some(before[line_start..].chars().count() + 1),
            length: marked.lines().next().map_or(1, |line| line.chars().count()).max(1),
            message,
            name,
        }
    }

    /// Where the name stands within what it is a part of.
    fn named(&self, span: Span, name: &str) -> Span {
        let whole = self.source.get(span.start_offset as usize..span.end_offset as usize).unwrap_or_default();
        let found = whole.rfind(name).and_then(|at| Some((u32::try_from(at).ok()?, u32::try_from(name.len()).ok()?)));
        found.map_or(span, |(at, length)| {
            let start_offset = span.start_offset + at;
            Span { start_offset, end_offset: start_offset + length, ..span }
        })
    }

    fn known(&self, span: Span, what: &str, name: &str, known: &[&str]) -> Looked {
        if known.contains(&name) {
            return Ok(());
        }
        let listed = known.iter().map(|name| (*name).to_owned()).collect();
        let span = self.named(span, name);
        Err(self.fault(span, format!("there is no {what} {name:?}"), Some((name.to_owned(), listed))))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever is no expression is refused, also what a newer Jinja brings")]
    fn statement(&self, statement: &Stmt<'_>) -> Looked {
        match statement {
            Stmt::Template(template) => template.children.iter().try_for_each(|child| self.statement(child)),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::EmitExpr(emit) => self.look(&emit.expr),
            _ => {
                let at = self.source.find("{%").unwrap_or(0);
                let offset = u32::try_from(at).unwrap_or(0);
                let span = Span { start_offset: offset, end_offset: offset + 2, ..Span::default() };
                Err(self.fault(span, "holds a statement; a computed row takes text and {{ expressions }} only".to_owned(), None))
            }
        }
    }

    fn look(&self, expression: &Expr<'_>) -> Looked {
        let maybe = |part: &Option<Expr<'_>>| part.as_ref().map_or(Ok(()), |part| self.look(part));
        match expression {
            Expr::Var(var) => self.known(var.span(), "variable", var.id, &VARIABLES),
            Expr::Const(_) => Ok(()),
            Expr::Slice(slice) => {
                self.look(&slice.expr)?;
                maybe(&slice.start)?;
                maybe(&slice.stop)?;
                maybe(&slice.step)
            }
            Expr::UnaryOp(op) => self.look(&op.expr),
            Expr::BinOp(op) => self.look(&op.left).and_then(|()| self.look(&op.right)),
            Expr::Compare(compare) => {
                self.look(&compare.expr)?;
                compare.ops.iter().try_for_each(|op| self.look(&op.expr))
            }
            Expr::IfExpr(choice) => {
                self.look(&choice.test_expr)?;
                self.look(&choice.true_expr)?;
                maybe(&choice.false_expr)
            }
            Expr::Filter(filter) => {
                maybe(&filter.expr)?;
                self.known(filter.span(), "filter", filter.name, &FILTERS)?;
                self.args(&filter.args)
            }
            Expr::Test(test) => {
                self.look(&test.expr)?;
                self.known(test.span(), "test", test.name, &TESTS)?;
                self.args(&test.args)
            }
            Expr::GetAttr(attr) if is_record(&attr.expr) => self.known(attr.span(), "field", attr.name, self.fields),
            Expr::GetAttr(attr) => self.look(&attr.expr),
            Expr::GetItem(item) => match item.subscript_expr.as_const().as_ref().and_then(Jinja::as_str) {
                Some(name) if is_record(&item.expr) => self.known(item.span(), "field", name, self.fields),
                Some(_) | None => self.look(&item.expr).and_then(|()| self.look(&item.subscript_expr)),
            },
            Expr::Call(call) => {
                Err(self.fault(call.span(), "calls a function; there are filters and tests only".to_owned(), None))
            }
            Expr::List(list) => list.items.iter().try_for_each(|item| self.look(item)),
            Expr::Tuple(tuple) => tuple.items.iter().try_for_each(|item| self.look(item)),
            Expr::Map(map) => map.keys.iter().chain(&map.values).try_for_each(|item| self.look(item)),
        }
    }

    fn args(&self, args: &[CallArg<'_>]) -> Looked {
        args.iter().try_for_each(|arg| match arg {
            CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => self.look(value),
        })
    }
}

fn is_record(expression: &Expr<'_>) -> bool {
    matches!(expression, Expr::Var(var) if var.id == "record")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{EvaluationFault, Expression, ExpressionFault};
    use crate::record::{Fields, Value};

    const FIELDS: [&str; 4] = ["name", "contact", "staff", "score"];

    fn fault(source: &str) -> ExpressionFault {
        Expression::compile(source, &FIELDS).unwrap_err()
    }

    fn fields() -> Fields {
        let number = |text: &str| Value::Number { number: text.into() };
        Fields::from([
            ("name".into(), Value::text("Ann {{ key }} <b>")),
            ("contact".into(), Value::text("lead")),
            ("staff".into(), number("9007199254740993")),
            ("score".into(), number("0.10")),
        ])
    }

    #[test]
    fn an_expression_says_what_a_record_is() {
        let rows = [
            ("{{ 'Hot' if record.contact == 'lead' else 'Cold' }}", "Hot"),
            ("{{ record.name }}", "Ann {{ key }} <b>"),
            ("{{ record['name'] | upper }}", "ANN {{ KEY }} <B>"),
            ("{{ record.staff }} {{ record.staff + 1 }}", "9007199254740993 9007199254740994"),
            ("{{ record.score }}", "0.10"),
            ("crm/{{ key | lower }}", "crm/a1"),
            ("{{ 'big' if record.staff > 100 else 'small' }}", "big"),
            ("{{ record.staff > 100 }} {{ record.staff is number }}", "true true"),
            ("plain", "plain"),
        ];
        for (source, wanted) in rows {
            assert_eq!(Expression::compile(source, &FIELDS).unwrap().evaluate("A1", &fields()).as_deref(), Ok(wanted), "{source}");
        }
    }

    #[test]
    fn a_null_field_is_no_text_but_a_fault_unless_a_default_says_otherwise() {
        let of = |source: &str| Expression::compile(source, &FIELDS).unwrap().evaluate("A1", &Fields::new());
        assert_eq!(of("{{ record.name }}"), Err(EvaluationFault::Undefined));
        assert_eq!(of("{{ record.name | upper }}"), Err(EvaluationFault::Undefined));
        assert_eq!(of("{{ record.name | default('nobody') }}").as_deref(), Ok("nobody"));
        assert_eq!(of("{{ 'yes' if record.name is defined else 'no' }}").as_deref(), Ok("no"));
    }

    #[test]
    fn what_is_unknown_is_found_in_every_branch_with_its_place() {
        let places = [
            ("{{ 'a' if true else recrod.name }}", 1, 21, "there is no variable \"recrod\""),
            ("x\n{{ record.nmae }}", 2, 11, "there is no field \"nmae\""),
            ("{{ record['nmae'] }}", 1, 12, "there is no field \"nmae\""),
            ("{{ key | uper }}", 1, 10, "there is no filter \"uper\""),
            ("{{ key is evne }}", 1, 11, "there is no test \"evne\""),
            ("é {{ now() }}", 1, 6, "calls a function; there are filters and tests only"),
            ("{{ record.name.upper() }}", 1, 15, "calls a function; there are filters and tests only"),
            ("{% set x = 1 %}{{ key }}", 1, 1, "holds a statement; a computed row takes text and {{ expressions }} only"),
        ];
        for (source, line, column, message) in places {
            let found = fault(source);
            assert_eq!((found.line, found.message.as_str()), (line, message), "{source}");
            assert_eq!(found.column, Some(column), "{source}");
        }
        let torn = fault("{{ key }}\n{{ key ");
        assert!(torn.line == 2 && torn.message.starts_with("cannot be read: "), "{torn:?}");
        assert!(fault(&"x".repeat(9000)).message.contains("longer"));
    }

    #[test]
    fn every_listed_filter_and_test_exists() {
        let environment = minijinja::Environment::new();
        let is = |name: &str, kind: &str| {
            let asked = format!("{{{{ 'yes' if '{name}' is {kind} else 'no' }}}}");
            environment.render_str(&asked, ()).unwrap() == "yes"
        };
        assert!(super::FILTERS.iter().all(|name| is(name, "filter")) && !is("zzz", "filter"));
        assert!(super::TESTS.iter().all(|name| is(name, "test")));
    }

    #[test]
    fn no_expression_runs_on_or_grows_without_end() {
        let of = |source: &str| Expression::compile(source, &FIELDS).unwrap().evaluate("A1", &fields()).unwrap_err();
        assert_eq!(of("{{ 'x' * 9000000 }}"), EvaluationFault::OutOfFuel);
        let doubled = format!("{{{{ key{} }}}}", " | replace('1', '1111111111')".repeat(12));
        assert_eq!(of(&doubled), EvaluationFault::OutOfFuel);
        assert_eq!(of("{{ 'x' * 70000 }}"), EvaluationFault::TooLong);
        assert_eq!(of("{{ record.name - 1 }}"), EvaluationFault::Failed);
    }

    proptest! {
        #[test]
        fn data_is_never_taken_for_a_template(text in any::<String>(), template in "[{}%# a-z.|']{0,30}") {
            let expression = Expression::compile("{{ record.name }}", &FIELDS).unwrap();
            for text in [text, template] {
                let fields = Fields::from([("name".into(), Value::text(text.clone()))]);
                assert_eq!(expression.evaluate("A1", &fields), Ok(text));
            }
        }

        #[test]
        fn no_text_stops_the_compiler(text in any::<String>(), template in "[{}%# a-z.|'()\\[\\]]{0,40}") {
            let _ = (Expression::compile(&text, &FIELDS), Expression::compile(&template, &FIELDS));
        }
    }
}
