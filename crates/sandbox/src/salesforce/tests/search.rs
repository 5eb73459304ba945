//! Searches, by SOSL and by parameters.
//!
//! Promises: what is found is judged by the rows' last names. Leaves to others: filters of queries (`soql`).

use serde_json::{Value, json};

use super::Bench;

fn bench() -> Bench {
    let mut bench = Bench::new();
    for (key, last, first, email) in
        [("a", "Okafor", "Ngozi", "n.okafor@example.org"), ("b", "Okafore", "Ada", "ada@example.org"), ("c", "Adeyemi", "Ngozi", "na@example.org")]
    {
        let row = json!({ "Syncline_Id__c": key, "LastName": last, "FirstName": first, "Email": email });
        assert_eq!(bench.post("/sobjects/Contact", &row).0, 201);
    }
    assert_eq!(bench.post("/sobjects/Lead", &json!({ "LastName": "Okafor", "Company": "Harbour {Cranes}" })).0, 201);
    bench
}

fn search(bench: &mut Bench, sosl: &str) -> (u16, Value) {
    let mut asked = bench.request("GET", "/search/", None);
    asked.query.push(("q".to_owned(), sosl.to_owned()));
    let answer = crate::crm::Crm::handle(&mut bench.org, &asked, bench.now);
    (answer.status, super::body_of(&answer))
}

fn names(answer: &(u16, Value)) -> Vec<&str> {
    answer.1["searchRecords"].as_array().unwrap().iter().map(|row| row["LastName"].as_str().unwrap_or("-")).collect()
}

#[test]
fn sosl_finds_words_phrases_and_wildcards() {
    let mut bench = bench();
    let contacts = "RETURNING Contact(LastName ORDER BY LastName)";
    for (term, found) in [
        ("okafor", vec!["Okafor"]),
        ("oka*", vec!["Okafor", "Okafore"]),
        ("okafor?", vec!["Okafore"]),
        ("ngozi okafor", vec!["Okafor"]),
        ("ada OR adeyemi", vec!["Adeyemi", "Okafore"]),
        ("\"Ngozi Adeyemi\"", vec!["Adeyemi"]),
        ("n.okafor@example.org", vec!["Okafor"]),
        ("nobody", vec![]),
    ] {
        assert_eq!(names(&search(&mut bench, &format!("FIND {{{term}}} {contacts}"))), found, "{term}");
    }
    assert_eq!(names(&search(&mut bench, &format!("FIND {{ngozi}} IN EMAIL FIELDS {contacts}"))), Vec::<&str>::new());
    assert_eq!(names(&search(&mut bench, "FIND {oka*} RETURNING Contact(LastName WHERE FirstName = 'Ada'), Lead(LastName)")), ["Okafore", "Okafor"]);
    assert_eq!(names(&search(&mut bench, "FIND {oka*} RETURNING Contact(LastName ORDER BY LastName LIMIT 1)")), ["Okafor"]);
    assert_eq!(names(&search(&mut bench, "FIND {\\{cranes\\}} LIMIT 5")), ["-"]);
}

#[test]
fn malformed_searches_say_so() {
    let mut bench = bench();
    for sosl in ["okafor", "FIND {x}", "FIND {okafor", "FIND {okafor} IN ODD FIELDS", "FIND {okafor} RETURNING Contact(Id", "FIND {okafor} odd"] {
        let (status, body) = search(&mut bench, sosl);
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!("MALFORMED_SEARCH")), "{sosl}");
    }
    assert_eq!(search(&mut bench, "FIND {okafor} RETURNING Contact(Nickname)").1[0]["errorCode"], "INVALID_FIELD");
    assert_eq!(search(&mut bench, "FIND {okafor} RETURNING Case").1[0]["errorCode"], "INVALID_TYPE");
}

#[test]
fn parameters_ask_the_same() {
    let mut bench = bench();
    let asked = json!({ "q": "oka*", "fields": ["LastName"], "sobjects": [{ "name": "Contact", "limit": 1, "orderBy": "LastName" }, { "name": "Lead" }] });
    assert_eq!(names(&bench.post("/parameterizedSearch", &asked)), ["Okafor", "Okafor"]);
    assert_eq!(names(&bench.get("/parameterizedSearch?q=adeyemi&sobject=Contact&Contact.fields=LastName")), ["Adeyemi"]);
}
