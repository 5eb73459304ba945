"""hubspot-api-client, unmodified, against the sandbox."""

import os

from hubspot import HubSpot
from hubspot.crm import contacts, properties
from hubspot.crm.associations import v4 as associations
from hubspot.crm.companies import PublicObjectSearchRequest as CompanySearch
from hubspot.crm.companies import SimplePublicObjectInput as CompanyInput
from hubspot.crm.companies import SimplePublicObjectInputForCreate as NewCompany
from hubspot.crm.contacts import exceptions

from checks import check, raises, run

URL = os.environ["HUBSPOT_URL"]


def client(token="pat-sandbox-1"):
    return HubSpot(access_token=token, host=URL, ssl_ca_cert=os.environ.get("CERTIFICATE"))


HUB = client()
API = HUB.crm.contacts


def new(**values):
    return API.basic_api.create(contacts.SimplePublicObjectInputForCreate(properties=values, associations=[]))


@check
def creates_reads_updates_and_archives():
    made = new(email="One@Acme.example", firstname="One")
    assert made.properties["email"] == "one@acme.example"
    assert API.basic_api.get_by_id(made.id, properties=["phone", "email"]).properties["phone"] is None
    assert API.basic_api.get_by_id("one@acme.example", id_property="email").id == made.id
    changed = API.basic_api.update(made.id, contacts.SimplePublicObjectInput(properties={"firstname": "Uno"}))
    assert changed.properties["firstname"] == "Uno"
    assert API.basic_api.archive(made.id) is None
    raises(exceptions.NotFoundException, API.basic_api.get_by_id, made.id)
    assert API.basic_api.get_by_id(made.id, archived=True).archived


@check
def conflict_names_the_other_contact():
    made = new(email="taken@acme.example")
    error = raises(exceptions.ApiException, new, email="Taken@acme.example")
    assert error.status == 409 and f"Existing ID: {made.id}" in error.body


@check
def bad_values_are_listed():
    error = raises(exceptions.ApiException, new, email="nonsense", nosuch="x")
    assert error.status == 400 and "INVALID_EMAIL" in error.body and "PROPERTY_DOESNT_EXIST" in error.body


@check
def batches_create_read_update_upsert_and_archive():
    rows = [contacts.SimplePublicObjectBatchInputForCreate(properties={"email": f"b{n}@acme.example"}, associations=[]) for n in range(20)]
    made = API.batch_api.create(contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=rows)).results
    assert len(made) == 20
    ids = [contacts.SimplePublicObjectId(id=row.id) for row in made]
    asked = contacts.BatchReadInputSimplePublicObjectId(inputs=ids, properties=["email"], properties_with_history=[])
    assert len(API.batch_api.read(asked).results) == 20
    rows = [contacts.SimplePublicObjectBatchInput(id=row.id, properties={"city": "Ulm"}) for row in made]
    done = API.batch_api.update(contacts.BatchInputSimplePublicObjectBatchInput(inputs=rows)).results
    assert {row.properties["city"] for row in done} == {"Ulm"}
    row = contacts.SimplePublicObjectBatchInputUpsert(id="K-1", id_property="syncline_id", properties={"syncline_id": "K-1"})
    for is_new in (True, False):
        done = API.batch_api.upsert(contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[row])).results
        assert done[0].new is is_new
    assert API.batch_api.archive(contacts.BatchInputSimplePublicObjectId(inputs=ids)) is None


@check
def missing_rows_of_a_batch_are_told():
    made = new(email="present@acme.example")
    ids = [contacts.SimplePublicObjectId(id=made.id), contacts.SimplePublicObjectId(id="7")]
    asked = contacts.BatchReadInputSimplePublicObjectId(inputs=ids, properties=[], properties_with_history=[])
    answer = API.batch_api.read(asked)
    assert answer.num_errors == 1 and answer.errors[0].context["ids"] == ["7"]


@check
def lists_and_searches_page():
    for n in range(12):
        new(email=f"page{n}@paging.example", lastname="Paging")
    assert len([row for row in API.get_all() if (row.properties["email"] or "").endswith("paging.example")]) == 12
    groups = [{"filters": [{"propertyName": "lastname", "operator": "EQ", "value": "Paging"}]}]
    seen, after = set(), None
    while True:
        page = API.search_api.do_search(contacts.PublicObjectSearchRequest(filter_groups=groups, limit=5, after=after))
        assert page.total == 12
        seen |= {row.id for row in page.results}
        if page.paging is None:
            break
        after = page.paging.next.after
    assert len(seen) == 12


@check
def merges_and_deletes_for_good():
    one, two = new(email="m1@acme.example"), new(email="m2@acme.example")
    merged = API.basic_api.merge(contacts.PublicMergeInput(primary_object_id=one.id, object_id_to_merge=two.id))
    assert API.basic_api.get_by_id(two.id).id == merged.id
    assert API.basic_api.purge(contacts.PublicGdprDeleteInput(object_id=merged.id)) is None
    raises(exceptions.NotFoundException, API.basic_api.get_by_id, merged.id)


@check
def properties_are_made_read_changed_and_archived():
    api = HUB.crm.properties.core_api
    wanted = properties.PropertyCreate(name="tier", label="Tier", type="string", field_type="text", group_name="contactinformation")
    assert api.create("contacts", wanted).name == "tier"
    assert raises(properties.exceptions.ApiException, api.create, "contacts", wanted).status == 409
    assert api.update("contacts", "tier", properties.PropertyUpdate(label="Level")).label == "Level"
    assert api.get_by_name("contacts", "tier").label == "Level"
    assert "tier" in {row.name for row in api.get_all("contacts").results}
    api.archive("contacts", "tier")
    raises(properties.exceptions.NotFoundException, api.get_by_name, "contacts", "tier")


@check
def history_is_told_newest_first():
    made = new(email="history@acme.example", city="Ulm")
    API.basic_api.update(made.id, contacts.SimplePublicObjectInput(properties={"city": "Bonn"}))
    read = API.basic_api.get_by_id(made.id, properties_with_history=["city"])
    assert [version.value for version in read.properties_with_history["city"]] == ["Bonn", "Ulm"]
    assert read.properties_with_history["city"][0].source_type == "INTEGRATION"
    asked = contacts.BatchReadInputSimplePublicObjectId(inputs=[contacts.SimplePublicObjectId(id=made.id)], properties=[], properties_with_history=["city"])
    assert len(API.batch_api.read(asked).results[0].properties_with_history["city"]) == 2
    # The library asks for pages of fifty then.
    assert any(row.id == made.id and row.properties_with_history["city"] for row in API.get_all(properties_with_history=["city"]))


@check
def companies_are_found_changed_and_archived():
    api = HUB.crm.companies
    made = api.basic_api.create(NewCompany(properties={"name": "Found", "domain": "found.example"}, associations=[]))
    groups = [{"filters": [{"propertyName": "domain", "operator": "EQ", "value": "found.example"}]}]
    found = api.search_api.do_search(CompanySearch(filter_groups=groups))
    assert [row.id for row in found.results] == [made.id]
    assert api.basic_api.update(made.id, CompanyInput(properties={"city": "Ulm"})).properties["city"] == "Ulm"
    person = new(email="found@acme.example")
    HUB.crm.associations.v4.basic_api.create_default("contacts", person.id, "companies", made.id)
    groups = [{"filters": [{"propertyName": "associations.company", "operator": "EQ", "value": made.id}]}]
    people = API.search_api.do_search(contacts.PublicObjectSearchRequest(filter_groups=groups))
    assert [row.id for row in people.results] == [person.id]
    assert api.basic_api.archive(made.id) is None
    assert api.basic_api.get_by_id(made.id, archived=True).archived


@check
def companies_are_linked():
    company = HUB.crm.companies.basic_api.create(NewCompany(properties={"name": "Acme"}, associations=[]))
    person = new(email="linked@acme.example")
    api = HUB.crm.associations.v4.basic_api
    api.create_default("contacts", person.id, "companies", company.id)
    spec = associations.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=1)
    api.create("contacts", person.id, "companies", company.id, [spec])
    found = api.get_page("contacts", person.id, "companies").results
    assert [row.to_object_id for row in found] == [company.id] and len(found[0].association_types) == 2
    api.archive("contacts", person.id, "companies", company.id)
    assert api.get_page("contacts", person.id, "companies").results == []


@check
def tokens_are_refreshed_and_refused():
    api = HubSpot(host=URL, ssl_ca_cert=os.environ.get("CERTIFICATE")).oauth.tokens_api
    keys = {"client_id": "sandbox-app", "client_secret": "sandbox-app-secret"}
    token = api.create(grant_type="refresh_token", refresh_token="eu1-sandbox-refresh-1", **keys)
    assert client(token.access_token).crm.contacts.basic_api.get_page(limit=1).results
    from hubspot.oauth.exceptions import ApiException
    error = raises(ApiException, api.create, grant_type="refresh_token", refresh_token="nonsense", **keys)
    assert error.status == 400 and "BAD_REFRESH_TOKEN" in error.body


@check
def unknown_tokens_are_unauthorized():
    error = raises(exceptions.UnauthorizedException, client("nonsense").crm.contacts.basic_api.get_page)
    assert "INVALID_AUTHENTICATION" in error.body


run()
