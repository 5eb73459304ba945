//! The part of SOQL that the emulator reads: one object, its own fields, conditions, order, limit, offset.
//!
//! Grammar: `SELECT f, (SELECT … FROM children …), … | COUNT() | COUNT(Id) | FIELDS(ALL) FROM object [WHERE …] [ORDER BY f [ASC|DESC]
//! [NULLS FIRST|LAST], …] [LIMIT n] [OFFSET n]` with `= != <> < <= > >= LIKE IN NOT IN AND OR NOT ( )`.
//! Promises: a text outside the grammar is a `MALFORMED_QUERY` that names the offending token; AND and OR are
//! mixed only with parentheses, as the service wants it. Names are left unresolved, with their place in the text.
//! Leaves to others: whether names exist and what matches (`query`).

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) select: Select,
    /// Queries within it over the rows that refer to each row; their object is the name of the relation.
    pub(super) children: Vec<Query>,
    pub(super) object: Name,
    pub(super) filter: Option<Expr>,
    /// What the rows are grouped by.
    pub(super) group: Vec<Name>,
    /// Which groups stay, by their number of rows.
    pub(super) having: Option<(Operator, f64)>,
    pub(super) order: Vec<Order>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

/// What a query asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Select {
    /// These fields.
    Fields(Vec<Name>),
    /// A whole class of fields.
    Every(Class),
    /// `COUNT()`.
    Count,
    /// `COUNT(field)`.
    CountOf(Name),
    /// Fields and counts of groups.
    Grouped(Vec<Item>),
}

/// A class of fields, as `FIELDS()` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    All,
    Standard,
    Custom,
}

/// One column of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Field(Name),
    /// A count of rows that have the field, or of all, with its alias.
    Count(Option<Name>, Option<String>),
}

/// A name and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: usize,
}

/// One sort key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) field: Name,
    pub(super) descending: bool,
    pub(super) nulls_last: bool,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Compare { field: Name, operator: Operator, literal: Literal },
    In { field: Name, negated: bool, literals: Vec<Literal> },
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    Like,
}

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(f64),
    Flag(bool),
    Null,
    /// A date or datetime as written.
    Instant(String),
    /// From the start of a day to the start of another, counted from today.
    Days(i64, i64),
}

/// What is wrong with a query's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) message: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

type Parsed<T> = Result<T, Malformed>;

/// Reads a query.
pub(super) fn parse(text: &str) -> Parsed<Query> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let query = query(&mut parser, true)?;
    if parser.at < parser.tokens.len() {
        return Err(parser.unexpected());
    }
    Ok(query)
}

fn query(parser: &mut Parser, may_nest: bool) -> Parsed<Query> {
    parser.keyword("SELECT")?;
    let mut children = Vec::new();
    let select = parser.select(&mut children, may_nest)?;
    parser.keyword("FROM")?;
    let object = parser.name()?;
    let filter = if parser.take_word("WHERE") { Some(parser.condition()?) } else { None };
    let (mut group, mut having) = (Vec::new(), None);
    if parser.take_word("GROUP") {
        parser.keyword("BY")?;
        group.push(parser.name()?);
        while parser.take_sign(",") {
            group.push(parser.name()?);
        }
        if parser.take_word("HAVING") {
            having = Some(parser.having()?);
        }
    }
    let select = if group.is_empty() { select } else { Select::Grouped(columns(select).ok_or_else(|| parser.unexpected())?) };
    let mut order = Vec::new();
    if parser.take_word("ORDER") {
        parser.keyword("BY")?;
        order.push(parser.order()?);
        while parser.take_sign(",") {
            order.push(parser.order()?);
        }
    }
    let limit = if parser.take_word("LIMIT") { Some(parser.whole()?) } else { None };
    let offset = if parser.take_word("OFFSET") { parser.whole()? } else { 0 };
    Ok(Query { select, children, object, filter, group, having, order, limit, offset })
}

impl Parser {
    /// What is asked for; queries over children go to their own list.
    fn select(&mut self, children: &mut Vec<Query>, may_nest: bool) -> Parsed<Select> {
        if self.peek_word("FIELDS") {
            self.at += 1;
            self.sign("(")?;
            let classes = [("ALL", Class::All), ("STANDARD", Class::Standard), ("CUSTOM", Class::Custom)];
            let class = classes.into_iter().find(|(word, _)| self.take_word(word)).ok_or_else(|| self.unexpected())?.1;
            self.sign(")")?;
            return Ok(Select::Every(class));
        }
        let mut items = Vec::new();
        loop {
            if may_nest && self.take_sign("(") {
                children.push(query(self, false)?);
                self.sign(")")?;
            } else {
                items.push(self.item()?);
            }
            if !self.take_sign(",") {
                break;
            }
        }
        let fields: Option<Vec<Name>> =
            items.iter().map(|item| if let Item::Field(name) = item { Some(name.clone()) } else { None }).collect();
        Ok(match (fields, items.as_slice()) {
            (Some(names), _) => Select::Fields(names),
            (None, [Item::Count(None, None)]) => Select::Count,
            (None, [Item::Count(Some(name), None)]) => Select::CountOf(name.clone()),
            (None, _) => Select::Grouped(items),
        })
    }

    fn item(&mut self) -> Parsed<Item> {
        let name = self.name()?;
        if !self.take_sign("(") {
            return Ok(Item::Field(name));
        }
        if !name.text.eq_ignore_ascii_case("COUNT") {
            self.at -= 1;
            return Err(self.unexpected());
        }
        let field = if self.take_sign(")") { None } else { Some(self.name()?) };
        if field.is_some() {
            self.sign(")")?;
        }
        let named = matches!(self.tokens.get(self.at), Some((_, Token::Word(word))) if !word.eq_ignore_ascii_case("FROM"));
        let alias = if named { Some(self.name()?.text) } else { None };
        Ok(Item::Count(field, alias))
    }

    fn having(&mut self) -> Parsed<(Operator, f64)> {
        let Item::Count(..) = self.item()? else { return Err(self.unexpected()) };
        let operator = self.operator()?;
        match self.literal()? {
            Literal::Number(number) => Ok((operator, number)),
            Literal::Text(_) | Literal::Flag(_) | Literal::Null | Literal::Instant(_) | Literal::Days(..) => {
                self.at -= 1;
                Err(self.unexpected())
            }
        }
    }

    fn order(&mut self) -> Parsed<Order> {
        let field = self.name()?;
        let descending = self.take_word("DESC");
        if !descending {
            self.take_word("ASC");
        }
        let mut nulls_last = false;
        if self.take_word("NULLS") {
            nulls_last = self.take_word("LAST");
            if !nulls_last {
                self.keyword("FIRST")?;
            }
        }
        Ok(Order { field, descending, nulls_last })
    }

    fn condition(&mut self) -> Parsed<Expr> {
        let first = self.operand()?;
        let joint = if self.take_word("AND") {
            "AND"
        } else if self.take_word("OR") {
            "OR"
        } else {
            return Ok(first);
        };
        let mut parts = vec![first, self.operand()?];
        while self.take_word(joint) {
            parts.push(self.operand()?);
        }
        Ok(if joint == "AND" { Expr::All(parts) } else { Expr::Any(parts) })
    }

    fn operand(&mut self) -> Parsed<Expr> {
        if self.take_word("NOT") {
            return Ok(Expr::Not(Box::new(self.operand()?)));
        }
        if self.take_sign("(") {
            let inner = self.condition()?;
            self.sign(")")?;
            return Ok(inner);
        }
        let field = self.name()?;
        let negated = self.take_word("NOT");
        if negated || self.peek_word("IN") {
            self.keyword("IN")?;
            self.sign("(")?;
            let mut literals = vec![self.literal()?];
            while self.take_sign(",") {
                literals.push(self.literal()?);
            }
            self.sign(")")?;
            return Ok(Expr::In { field, negated, literals });
        }
        let operator = self.operator()?;
        let literal = self.literal()?;
        Ok(Expr::Compare { field, operator, literal })
    }

    fn operator(&mut self) -> Parsed<Operator> {
        if self.take_word("LIKE") {
            return Ok(Operator::Like);
        }
        let operator = match self.tokens.get(self.at) {
            Some((_, Token::Sign("="))) => Operator::Equal,
            Some((_, Token::Sign("!=" | "<>"))) => Operator::Unequal,
            Some((_, Token::Sign("<"))) => Operator::Less,
            Some((_, Token::Sign("<="))) => Operator::AtMost,
            Some((_, Token::Sign(">"))) => Operator::More,
            Some((_, Token::Sign(">="))) => Operator::AtLeast,
            Some((_, Token::Sign(_) | Token::Word(_) | Token::Quoted(_))) | None => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(operator)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let literal = match self.tokens.get(self.at) {
            Some((_, Token::Quoted(text))) => Literal::Text(text.clone()),
            Some((_, Token::Word(word))) => bare_literal(word).ok_or_else(|| self.unexpected())?,
            Some((_, Token::Sign(_))) | None => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(literal)
    }

    fn name(&mut self) -> Parsed<Name> {
        const RESERVED: [&str; 9] = ["SELECT", "FROM", "WHERE", "AND", "OR", "ORDER", "LIMIT", "OFFSET", "IN"];
        match self.tokens.get(self.at) {
            Some((at, Token::Word(word)))
                if word.starts_with(|first: char| first.is_ascii_alphabetic())
                    && !RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word)) =>
            {
                let name = Name { text: word.clone(), at: *at };
                self.at += 1;
                Ok(name)
            }
            Some((_, Token::Word(_) | Token::Quoted(_) | Token::Sign(_))) | None => Err(self.unexpected()),
        }
    }

    fn whole(&mut self) -> Parsed<usize> {
        let number = self.tokens.get(self.at).and_then(|(_, token)| if let Token::Word(word) = token { word.parse().ok() } else { None });
        self.at += usize::from(number.is_some());
        number.ok_or_else(|| self.unexpected())
    }

    fn peek_word(&self, wanted: &str) -> bool {
        matches!(self.tokens.get(self.at), Some((_, Token::Word(word))) if word.eq_ignore_ascii_case(wanted))
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.peek_word(wanted);
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, wanted: &str) -> Parsed<()> {
        if self.take_word(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn take_sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some((_, Token::Sign(sign))) if *sign == wanted);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, wanted: &str) -> Parsed<()> {
        if self.take_sign(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Malformed {
        let shown = match self.tokens.get(self.at) {
            Some((_, Token::Word(word))) => word.as_str(),
            Some((_, Token::Quoted(text))) => text.as_str(),
            Some((_, Token::Sign(sign))) => sign,
            None => "<EOF>",
        };
        Malformed { message: format!("unexpected token: '{shown}'") }
    }
}

/// The columns of a query that groups; None if it asks for what no group has.
fn columns(select: Select) -> Option<Vec<Item>> {
    match select {
        Select::Fields(names) => Some(names.into_iter().map(Item::Field).collect()),
        Select::Count => Some(vec![Item::Count(None, None)]),
        Select::CountOf(name) => Some(vec![Item::Count(Some(name), None)]),
        Select::Grouped(items) => Some(items),
        Select::Every(_) => None,
    }
}

/// Days that a date literal means.
fn days(word: &str) -> Option<Literal> {
    let (name, count) = word.split_once(':').map_or((word, None), |(name, count)| (name, count.parse::<i64>().ok()));
    let days = match (name.to_ascii_uppercase().as_str(), count) {
        ("TODAY", None) => (0, 1),
        ("YESTERDAY", None) => (-1, 0),
        ("TOMORROW", None) => (1, 2),
        ("LAST_N_DAYS", Some(count @ 0..)) => (-count, 1),
        ("NEXT_N_DAYS", Some(count @ 0..)) => (1, count + 1),
        _ => return None,
    };
    Some(Literal::Days(days.0, days.1))
}

fn bare_literal(word: &str) -> Option<Literal> {
    if word.eq_ignore_ascii_case("null") {
        return Some(Literal::Null);
    }
    if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
        return Some(Literal::Flag(word.eq_ignore_ascii_case("true")));
    }
    if word.len() >= 10 && word.is_char_boundary(10) && word[..10].parse::<jiff::civil::Date>().is_ok() {
        return Some(Literal::Instant(word.to_owned()));
    }
    days(word).or_else(|| word.parse().ok().filter(|number: &f64| number.is_finite()).map(Literal::Number))
}

fn tokens(text: &str) -> Parsed<Vec<(usize, Token)>> {
    const SIGNS: [&str; 11] = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", ";"];
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if first == '\'' {
            let (value, length) = quoted(rest)?;
            tokens.push((at, Token::Quoted(value)));
            rest = &rest[length..];
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push((at, Token::Sign(sign)));
            rest = &rest[sign.len()..];
        } else {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "_.:+-".contains(c))).unwrap_or(rest.len());
            if end == 0 {
                return Err(Malformed { message: format!("unexpected char: '{first}'") });
            }
            tokens.push((at, Token::Word(rest[..end].to_owned())));
            rest = &rest[end..];
        }
    }
    Ok(tokens)
}

/// The text in quotes at the start, and how many bytes it takes with them. `\%` and `\_` keep their backslash for LIKE.
fn quoted(text: &str) -> Parsed<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' => return Ok((value, at + 1)),
            '\\' => {
                let Some((_, escaped)) = characters.next() else { break };
                match escaped {
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    't' => value.push('\t'),
                    'b' => value.push('\u{8}'),
                    'f' => value.push('\u{c}'),
                    '\'' | '"' | '\\' => value.push(escaped),
                    '%' | '_' => value.extend(['\\', escaped]),
                    'u' => {
                        let code: String = characters.by_ref().take(4).map(|(_, digit)| digit).collect();
                        let decoded = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        value
                            .push(decoded.ok_or_else(|| Malformed { message: format!("Illegal unicode sequence '\\u{code}' in string") })?);
                    }
                    other => {
                        return Err(Malformed {
                            message: format!("Invalid string literal: Illegal character sequence '\\{other}' in string literal"),
                        });
                    }
                }
            }
            other => value.push(other),
        }
    }
    Err(Malformed { message: "line 1:0 mismatched character '<EOF>' expecting '''".to_owned() })
}
