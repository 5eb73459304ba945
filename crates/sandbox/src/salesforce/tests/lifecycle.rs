//! Merges, conversions and returns from the bin, by SOAP and by command, seen over REST.
//!
//! Promises: what is seen afterwards is compared with the reference. Leaves to others: plain deletes (`rows`).

use serde_json::{Value, json};

use super::{Bench, request, row_error};
use crate::crm::Crm;

fn soap(bench: &mut Bench, body: &str) -> (u16, String) {
    let envelope = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:u=\"urn:partner.soap.sforce.com\"><e:Header><u:SessionHeader>\
         <u:sessionId>{}</u:sessionId></u:SessionHeader></e:Header><e:Body>{body}</e:Body></e:Envelope>",
        bench.token
    );
    let answer = bench.org.handle(&request("POST", "/services/Soap/u/62.0/00D5g000004Kp7Q", Some(("text/xml", &envelope))), bench.now);
    (answer.status, String::from_utf8(answer.body).unwrap())
}

fn all(bench: &mut Bench, soql: &str) -> Value {
    let mut asked = bench.request("GET", "/queryAll", None);
    asked.query.push(("q".to_owned(), soql.to_owned()));
    super::body_of(&bench.org.handle(&asked, bench.now))["records"].clone()
}

#[test]
fn s6_6_losers_of_a_merge_name_their_master() {
    let mut bench = Bench::new();
    let (master, loser) = (bench.contact("a-1", "Okafor"), bench.contact("a-2", "Okafor"));
    let (_, report) = bench.post("/sobjects/Contact", &json!({ "LastName": "Report", "ReportsToId": loser }));
    let call = format!(
        "<u:merge><u:request><u:masterRecord><type>Contact</type><Id>{master}</Id><Title>Buyer</Title><Syncline_Id__c>a-2</Syncline_Id__c>\
         </u:masterRecord><u:recordToMergeIds>{loser}</u:recordToMergeIds></u:request></u:merge>"
    );
    let (status, text) = soap(&mut bench, &call);
    assert!(status == 200 && text.contains("<success>true</success>") && text.contains(&format!("<mergedRecordIds>{loser}<")), "{text}");
    let rows = all(&mut bench, "SELECT Id, MasterRecordId FROM Contact WHERE IsDeleted = true AND MasterRecordId != null");
    assert_eq!((&rows[0]["Id"], &rows[0]["MasterRecordId"]), (&json!(loser), &json!(master)));
    let row = bench.get(&format!("/sobjects/Contact/{master}")).1;
    assert_eq!((&row["Title"], &row["Syncline_Id__c"]), (&json!("Buyer"), &json!("a-2")));
    assert_eq!(bench.get(&format!("/sobjects/Contact/{}", report["id"].as_str().unwrap())).1["ReportsToId"], json!(master));
    let gone = (404, row_error("ENTITY_IS_DELETED", "entity is deleted", &[]));
    assert_eq!(bench.patch(&format!("/sobjects/Contact/{loser}"), &json!({ "Title": "x" })), gone);
    let (_, text) = soap(&mut bench, &call);
    assert!(text.contains("<statusCode>ENTITY_IS_DELETED</statusCode>") && text.contains("<success>false</success>"), "{text}");
}

#[test]
fn s6_5_a_converted_lead_stays_and_names_its_contact() {
    let mut bench = Bench::new();
    let (_, lead) = bench.post("/sobjects/Lead", &json!({ "LastName": "Okafor", "Company": "Harbour", "City": "Lagos", "Syncline_Id__c": "l-1" }));
    let lead = lead["id"].as_str().unwrap().to_owned();
    let call = format!("<convertLead><leadConverts><leadId>{lead}</leadId><convertedStatus>Closed - Converted</convertedStatus></leadConverts></convertLead>");
    let (status, text) = soap(&mut bench, &call);
    assert!(status == 200 && text.contains("<success>true</success>"), "{text}");
    let row = bench.get(&format!("/sobjects/Lead/{lead}")).1;
    assert_eq!((&row["IsConverted"], &row["Status"], &row["ConvertedDate"]), (&json!(true), &json!("Closed - Converted"), &json!("2026-01-02")));
    let contact = bench.get(&format!("/sobjects/Contact/{}", row["ConvertedContactId"].as_str().unwrap())).1;
    assert_eq!((&contact["LastName"], &contact["MailingCity"], &contact["Syncline_Id__c"]), (&json!("Okafor"), &json!("Lagos"), &Value::Null));
    assert_eq!(contact["AccountId"], row["ConvertedAccountId"]);
    let refused = bench.patch(&format!("/sobjects/Lead/{lead}"), &json!({ "Title": "x" }));
    assert_eq!(refused, (400, row_error("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[])));
    let (_, text) = soap(&mut bench, &call);
    assert!(text.contains("<statusCode>CANNOT_UPDATE_CONVERTED_LEAD</statusCode>"), "{text}");
    // What failed left nothing behind.
    assert_eq!(bench.query("SELECT COUNT() FROM Account").1["totalSize"], 1);
}

#[test]
fn s6_6_what_comes_back_keeps_its_id_unless_its_key_is_taken() {
    let mut bench = Bench::new();
    let id = bench.contact("a-1", "Okafor");
    assert_eq!(bench.delete(&format!("/sobjects/Contact/{id}")).0, 204);
    let (_, text) = soap(&mut bench, &format!("<undelete><ids>{id}</ids></undelete>"));
    assert!(text.contains(&format!("<id>{id}</id><success>true</success>")), "{text}");
    assert_eq!(bench.get(&format!("/sobjects/Contact/{id}")).0, 200);
    assert_eq!(bench.delete(&format!("/sobjects/Contact/{id}")).0, 204);
    bench.contact("a-1", "Another");
    let undelete = json!({ "id": id }).to_string();
    let refused = bench.org.command("undelete", undelete.as_bytes(), bench.now).unwrap().unwrap_err();
    assert!(refused.starts_with("DUPLICATE_VALUE"), "{refused}");
}

#[test]
fn commands_do_what_a_person_does() {
    let mut bench = Bench::new();
    let (master, loser) = (bench.contact("a-1", "Okafor"), bench.contact("a-2", "Okafor"));
    let mut run = |name: &str, body: Value| bench.org.command(name, body.to_string().as_bytes(), bench.now);
    let merged = run("merge", json!({ "master": master, "losers": [loser] })).unwrap().unwrap();
    assert_eq!(merged, json!({ "master": master, "losers": [loser] }));
    assert_eq!(run("erase", json!({ "id": loser })).unwrap().unwrap(), json!({ "id": loser }));
    assert!(run("merge", json!({ "master": master, "losers": [] })).unwrap().is_err());
    assert!(run("undelete", json!({ "id": loser })).unwrap().is_err());
    assert!(run("dance", json!({})).is_none());
    assert_eq!(all(&mut bench, "SELECT Id FROM Contact"), json!([{ "attributes": { "type": "Contact", "url": format!("/services/data/v67.0/sobjects/Contact/{master}") }, "Id": master }]));
}

#[test]
fn s6_6_an_account_takes_its_contacts_with_it() {
    let mut bench = Bench::new();
    let (_, account) = bench.post("/sobjects/Account", &json!({ "Name": "Harbour" }));
    let account = account["id"].as_str().unwrap().to_owned();
    let (_, contact) = bench.post("/sobjects/Contact", &json!({ "LastName": "Okafor", "AccountId": account }));
    assert_eq!(bench.delete(&format!("/sobjects/Account/{account}")).0, 204);
    assert_eq!(bench.get(&format!("/sobjects/Contact/{}", contact["id"].as_str().unwrap())).0, 404);
    let (_, refused) = bench.post("/sobjects/Contact", &json!({ "LastName": "Okafor", "AccountId": account }));
    assert_eq!(refused[0]["errorCode"], "INVALID_CROSS_REFERENCE_KEY");
}

#[test]
fn soap_calls_need_a_session() {
    let mut bench = Bench::new();
    "nobody".clone_into(&mut bench.token);
    let (status, text) = soap(&mut bench, "<undelete><ids>x</ids></undelete>");
    assert!(status == 500 && text.contains("<sf:exceptionCode>INVALID_SESSION_ID</sf:exceptionCode>"), "{text}");
}
