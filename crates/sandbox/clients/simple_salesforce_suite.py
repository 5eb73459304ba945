"""simple-salesforce, unmodified, against the sandbox.

The library sends logins to *.salesforce.com; its documented `session` takes an adapter that carries those to loopback.
"""

import datetime
import json
import os
import urllib.parse
import urllib.request

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceLogin, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from checks import check, raises, run

URL = os.environ["SALESFORCE_URL"]
HOST = urllib.parse.urlsplit(URL).netloc
USER = {"username": "integration@sandbox.example", "password": "sandbox-password"}
APP = {"consumer_key": "sandbox-client", "consumer_secret": "sandbox-secret"}
PRESHARED = "00D5g000004Kp7Q!preshared"


class ToLoopback(HTTPAdapter):
    """Carries requests for Salesforce's own hosts to the sandbox."""

    def send(self, request, **keywords):
        parts = urllib.parse.urlsplit(request.url)
        request.url = urllib.parse.urlunsplit(parts._replace(netloc=HOST))
        return super().send(request, **keywords)


def session():
    made = requests.Session()
    made.verify = os.environ["CERTIFICATE"]
    for host in ("login", "test", "acme.my"):
        made.mount(f"https://{host}.salesforce.com", ToLoopback())
    return made


def control(method, name, body=None):
    """A control path of the sandbox."""
    answer = session().request(method, f"{URL}/_sandbox/{name}", data=body)
    answer.raise_for_status()
    return answer


sf = Salesforce(instance_url=URL, session_id=PRESHARED, session=session(), version="62.0")


@check
def logs_in_by_soap_with_a_security_token():
    client = Salesforce(**USER, security_token="SandboxToken", session=session(), domain="login")
    assert client.sf_instance == HOST, client.sf_instance
    assert client.limits()["DailyApiRequests"]["Max"] == 15000


@check
def logs_in_by_soap_at_a_scratch_org():
    token, instance = SalesforceLogin(**USER, security_token="SandboxToken", session=session(), scratch_url=URL)
    assert instance == HOST and token.startswith("00D5g000004Kp7Q!")


@check
def logs_in_by_soap_with_an_organization_id():
    password = USER["password"] + "SandboxToken"
    client = Salesforce(username=USER["username"], password=password, organizationId="00D5g000004Kp7QEAS", session=session())
    assert client.limits()


@check
def logs_in_by_password_grant():
    password = USER["password"] + "SandboxToken"
    client = Salesforce(username=USER["username"], password=password, **APP, session=session(), domain="test")
    assert client.sf_instance == HOST and client.limits()


@check
def logs_in_by_client_credentials():
    client = Salesforce(**APP, domain="acme.my", session=session())
    assert client.sf_instance == HOST and client.limits()


@check
def logs_in_by_signed_assertion():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    control("PUT", "certificate", public)
    client = Salesforce(username=USER["username"], consumer_key="sandbox-client", privatekey=private.decode(), session=session())
    assert client.sf_instance == HOST and client.limits()


@check
def a_wrong_password_fails_by_soap():
    error = raises(SalesforceAuthenticationFailed, Salesforce, username=USER["username"], password="x", security_token="y", session=session())
    assert error.code == "INVALID_LOGIN", error.code


@check
def a_wrong_secret_fails_by_oauth():
    error = raises(SalesforceAuthenticationFailed, Salesforce, consumer_key="sandbox-client", consumer_secret="x", domain="acme.my", session=session())
    assert error.code == "invalid_client", error.code


@check
def a_contact_is_created_read_updated_and_deleted():
    made = sf.Contact.create({"LastName": "Okafor", "Email": "n.okafor@example.org"})
    assert made["success"] is True and made["errors"] == [] and made["id"].startswith("003")
    row = sf.Contact.get(made["id"])
    assert row["LastName"] == "Okafor" and row["attributes"]["type"] == "Contact"
    assert sf.Contact.update(made["id"], {"Title": "Buyer"}) == 204
    assert sf.Contact.get(made["id"], params={"fields": "Title"})["Title"] == "Buyer"
    assert sf.Contact.delete(made["id"]) == 204
    raises(SalesforceResourceNotFound, sf.Contact.get, made["id"])


@check
def an_upsert_creates_and_then_updates():
    path = "Syncline_Id__c/" + urllib.parse.quote("py/ä", safe="")
    assert sf.Contact.upsert(path, {"LastName": "Adeyemi"}) == 201
    assert sf.Contact.upsert(path, {"LastName": "Adeyemi", "FirstName": "Ngozi"}) == 200
    row = sf.Contact.get_by_custom_id("Syncline_Id__c", "py/ä")
    assert row["FirstName"] == "Ngozi" and row["Syncline_Id__c"] == "py/ä"


@check
def describe_knows_fields_and_objects():
    fields = {field["name"]: field for field in sf.Lead.describe()["fields"]}
    assert fields["Company"]["nillable"] is False and fields["Syncline_Id__c"]["externalId"] is True
    assert {"Lead", "Contact"} <= {one["name"] for one in sf.describe()["sobjects"]}
    assert sf.Contact.metadata()["objectDescribe"]["keyPrefix"] == "003"


@check
def collections_take_many_rows_at_once():
    records = [{"attributes": {"type": "Lead"}, "LastName": f"Row {n}", "Company": "Acme", "Syncline_Id__c": f"many-{n}"} for n in range(120)]
    done = sf.restful("composite/sobjects/Lead/Syncline_Id__c", method="PATCH", json={"allOrNone": False, "records": records})
    assert len(done) == 120 and all(one["success"] and one["created"] for one in done)
    done = sf.restful("composite/sobjects", method="POST", json={"records": [{"attributes": {"type": "Lead"}, "LastName": "x"}]})
    assert done[0]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"


@check
def a_query_is_paged_by_location_and_to_the_end():
    first = sf.query("SELECT Id, LastName FROM Lead WHERE Company = 'Acme' ORDER BY Id")
    assert first["totalSize"] == 120 and first["done"] is False and len(first["records"]) == 50
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    third = sf.query_more(second["nextRecordsUrl"].rsplit("/", 1)[1])
    assert len(second["records"]) == 50 and len(third["records"]) == 20 and third["done"] is True
    assert len(sf.query_all("SELECT Id FROM Lead WHERE Company = 'Acme'")["records"]) == 120
    assert len(list(sf.query_all_iter("SELECT Id FROM Lead WHERE Company = 'Acme'"))) == 120


@check
def values_are_quoted_in_a_query():
    sf.Lead.create({"LastName": "O'Brien\\", "Company": "Quotes"})
    found = sf.query(format_soql("SELECT Id FROM Lead WHERE LastName = {}", "O'Brien\\"))
    assert found["totalSize"] == 1


@check
def deleted_rows_show_where_they_are_asked_for():
    made = sf.Lead.create({"LastName": "Gone", "Company": "Gone"})
    sf.Lead.delete(made["id"])
    assert sf.query("SELECT Id FROM Lead WHERE Company = 'Gone'")["totalSize"] == 0
    assert sf.query("SELECT Id FROM Lead WHERE Company = 'Gone' AND IsDeleted = true", include_deleted=True)["totalSize"] == 1


@check
def a_search_finds_rows():
    sf.Contact.create({"LastName": "Zimmermann", "FirstName": "Ida"})
    found = sf.search("FIND {Zimmermann} IN NAME FIELDS RETURNING Contact(Id, LastName)")
    assert [row["LastName"] for row in found["searchRecords"]] == ["Zimmermann"]
    assert len(sf.quick_search("Zimmer*")["searchRecords"]) == 1
    error = raises(SalesforceMalformedRequest, sf.quick_search, "x")
    assert error.content[0]["errorCode"] == "MALFORMED_SEARCH"


@check
def changes_of_a_window_are_listed():
    kept, gone = (sf.Lead.create({"LastName": name, "Company": "Window"})["id"] for name in ("Kept", "Gone"))
    sf.Lead.delete(gone)
    now = datetime.datetime.now(datetime.timezone.utc)
    window = (now - datetime.timedelta(minutes=5), now + datetime.timedelta(minutes=2))
    assert kept in sf.Lead.updated(*window)["ids"]
    deleted = sf.Lead.deleted(*window)
    assert gone in [row["id"] for row in deleted["deletedRecords"]] and deleted["latestDateCovered"]
    error = raises(SalesforceMalformedRequest, sf.Lead.updated, window[1], window[0])
    assert error.content[0]["errorCode"] == "INVALID_REPLICATION_DATE"


@check
def composites_batches_and_trees_run():
    parts = [
        {"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "referenceId": "a", "body": {"Name": "Tree Ltd"}},
        {"method": "POST", "url": "/services/data/v62.0/sobjects/Contact", "referenceId": "c", "body": {"LastName": "x", "AccountId": "@{a.id}"}},
    ]
    done = sf.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": parts})["compositeResponse"]
    assert [part["httpStatusCode"] for part in done] == [201, 201]
    done = sf.restful("composite/batch", method="POST", json={"batchRequests": [{"method": "GET", "url": "v62.0/limits"}]})
    assert done["hasErrors"] is False and done["results"][0]["statusCode"] == 200
    tree = {"records": [{"attributes": {"type": "Contact", "referenceId": "r1"}, "LastName": "Okafor"}]}
    assert sf.restful("composite/tree/Contact", method="POST", json=tree)["results"][0]["referenceId"] == "r1"


@check
def a_query_reaches_parents_and_counts_groups():
    account = sf.Account.create({"Name": "Parent Ltd"})["id"]
    for name in ("One", "Two"):
        sf.Contact.create({"LastName": name, "AccountId": account, "Email": "shared@example.org"})
    rows = sf.query("SELECT LastName, Account.Name FROM Contact WHERE Account.Name = 'Parent Ltd'")["records"]
    assert [row["Account"]["Name"] for row in rows] == ["Parent Ltd", "Parent Ltd"]
    groups = sf.query("SELECT Email, COUNT(Id) FROM Contact WHERE AccountId != null GROUP BY Email HAVING COUNT(Id) > 1")
    assert groups["records"][0]["expr0"] == 2


@check
def a_merge_is_followed_by_its_master():
    master, loser = (sf.Contact.create({"LastName": "Merged"})["id"] for _ in range(2))
    control("POST", "salesforce/merge", json.dumps({"master": master, "losers": [loser]}))
    gone = sf.query("SELECT MasterRecordId FROM Contact WHERE IsDeleted = true AND MasterRecordId != null", include_deleted=True)
    assert gone["records"][0]["MasterRecordId"] == master
    error = raises(SalesforceResourceNotFound, sf.Contact.update, loser, {"Title": "x"})
    assert error.content[0]["errorCode"] == "ENTITY_IS_DELETED"


@check
def usage_is_read_from_the_header():
    sf.limits()
    usage = sf.api_usage["api-usage"]
    assert usage.total == 15000 and usage.used > 0


@check
def a_row_that_does_not_pass_is_a_malformed_request():
    error = raises(SalesforceMalformedRequest, sf.Contact.create, {"FirstName": "Nobody"})
    assert error.status == 400 and error.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert error.content[0]["fields"] == ["LastName"]
    error = raises(SalesforceMalformedRequest, sf.query, "SELECT Id, Nickname FROM Contact")
    assert error.content[0]["errorCode"] == "INVALID_FIELD"
    error = raises(SalesforceMalformedRequest, sf.Contact.create, {"LastName": "x", "Syncline_Id__c": "py/ä"})
    assert error.content[0]["errorCode"] == "DUPLICATE_VALUE"


@check
def bulk_jobs_take_rows_in_and_give_them_out():
    rows = [{"Syncline_Id__c": f"bulk-{n}", "LastName": "Bulk", "Title": "a, \"b\""} for n in range(5)]
    rows.append({"Syncline_Id__c": "bulk-x", "LastName": "", "Title": ""})
    told = sf.bulk2.Contact.upsert(records=rows, external_id_field="Syncline_Id__c")[0]
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (6, 1)
    failed = sf.bulk2.Contact.get_failed_records(told["job_id"])
    assert "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --" in failed
    found = "".join(sf.bulk2.Contact.query("SELECT Syncline_Id__c, Title FROM Contact WHERE LastName = 'Bulk'", max_records=2))
    assert found.count('"a, ""b"""') == 5


@check
def a_duplicate_is_refused_with_its_match_and_saved_when_asked():
    row = {"LastName": "Twice", "AssistantName": "Igor"}
    first = sf.Contact.create(row)["id"]
    error = raises(SalesforceMalformedRequest, sf.Contact.create, row)
    told = error.content[0]
    assert told["errorCode"] == "DUPLICATES_DETECTED"
    assert told["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]["Id"] == first
    assert sf.Contact.create(row, headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"})["success"]


@check
def an_answer_that_breaks_off_is_an_error_and_the_row_is_there():
    control("PUT", "faults", "- {on: {system: salesforce, operation: create}, do: {then: close_half}}")
    try:
        raises(requests.exceptions.ChunkedEncodingError, sf.Contact.create, {"LastName": "Half"})
    finally:
        control("DELETE", "faults")
    assert sf.query("SELECT COUNT() FROM Contact WHERE LastName = 'Half'")["totalSize"] == 1


@check
def a_row_that_is_not_there_is_not_found():
    error = raises(SalesforceResourceNotFound, sf.Contact.update, "0035g00000Qa1ZxAAJ", {"Title": "x"})
    assert error.content[0]["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"
    error = raises(SalesforceResourceNotFound, sf.Nothing.get, "0035g00000Qa1ZxAAJ")
    assert error.content[0]["errorCode"] == "NOT_FOUND"


@check
def several_rows_for_one_key_are_more_than_one_record():
    for _ in range(2):
        sf.Contact.create({"LastName": "Twin", "Email": "twin@example.org"})
    error = raises(SalesforceMoreThanOneRecord, sf.Contact.get_by_custom_id, "Email", "twin@example.org")
    assert error.status == 300 and len(error.content) == 2


@check
def a_bad_session_is_expired():
    client = Salesforce(instance_url=URL, session_id="nobody", session=session(), version="62.0")
    error = raises(SalesforceExpiredSession, client.limits)
    assert error.content[0]["errorCode"] == "INVALID_SESSION_ID"


@check
def a_session_that_ends_is_renewed_where_a_login_is_known():
    client = Salesforce(**USER, security_token="SandboxToken", session=session())
    control("PUT", "faults", "- {on: {system: salesforce, nth: 1}, do: {expire_tokens: true}}")
    try:
        assert client.Contact.create({"LastName": "Renewed"})["success"]
    finally:
        control("DELETE", "faults")


@check
def a_spent_allowance_is_a_refused_request():
    control("PUT", "faults", "- {on: {system: salesforce}, do: {status: 403, body: daily}}")
    try:
        error = raises(SalesforceRefusedRequest, sf.limits)
    finally:
        control("DELETE", "faults")
    assert error.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


@check
def an_outage_is_a_general_error():
    for status in (500, 503):
        control("PUT", "faults", f"- {{on: {{system: salesforce}}, do: {{status: {status}}}}}")
        try:
            error = raises(SalesforceGeneralError, sf.limits)
        finally:
            control("DELETE", "faults")
        assert error.status == status


run()
