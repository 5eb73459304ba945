//! The standard fields of Account, as far as contacts need an account.
//!
//! Promises: the fields, lengths and flags of an org without extra features.
//! Leaves to others: custom fields and picklist values (`schema`), the describe answer (`schema::describe`).

use super::Kind::{Address, Boolean, Currency, DateTime, Id, Int, Phone, Picklist, Reference, Text, TextArea, Url};
use super::Source::{Compound, CreatedBy, CreatedDate, IsDeleted, ModifiedBy, ModifiedDate, RowId, Stored};
use super::Spec;

/// Name, label, kind, length, flags, source; flags are C createable, U updateable, N nillable, D defaulted on create.
pub(super) const FIELDS: &[Spec] = &[
    ("Id", "Account ID", Id, 18, "D", RowId),
    ("IsDeleted", "Deleted", Boolean, 0, "D", IsDeleted),
    ("MasterRecordId", "Master Record ID", Reference, 18, "N", Stored),
    ("Name", "Account Name", Text, 255, "CU", Stored),
    ("Type", "Account Type", Picklist, 255, "CUN", Stored),
    ("ParentId", "Parent Account ID", Reference, 18, "CUN", Stored),
    ("BillingStreet", "Billing Street", TextArea, 255, "CUN", Stored),
    ("BillingCity", "Billing City", Text, 40, "CUN", Stored),
    ("BillingState", "Billing State/Province", Text, 80, "CUN", Stored),
    ("BillingPostalCode", "Billing Zip/Postal Code", Text, 20, "CUN", Stored),
    ("BillingCountry", "Billing Country", Text, 80, "CUN", Stored),
    ("BillingAddress", "Billing Address", Address, 0, "N", Compound("Billing")),
    ("Phone", "Account Phone", Phone, 40, "CUN", Stored),
    ("Fax", "Account Fax", Phone, 40, "CUN", Stored),
    ("AccountNumber", "Account Number", Text, 40, "CUN", Stored),
    ("Website", "Website", Url, 255, "CUN", Stored),
    ("Industry", "Industry", Picklist, 255, "CUN", Stored),
    ("AnnualRevenue", "Annual Revenue", Currency, 0, "CUN", Stored),
    ("NumberOfEmployees", "Employees", Int, 0, "CUN", Stored),
    ("Description", "Account Description", TextArea, 32_000, "CUN", Stored),
    ("OwnerId", "Owner ID", Reference, 18, "CUD", Stored),
    ("CreatedDate", "Created Date", DateTime, 0, "D", CreatedDate),
    ("CreatedById", "Created By ID", Reference, 18, "D", CreatedBy),
    ("LastModifiedDate", "Last Modified Date", DateTime, 0, "D", ModifiedDate),
    ("LastModifiedById", "Last Modified By ID", Reference, 18, "D", ModifiedBy),
    ("SystemModstamp", "System Modstamp", DateTime, 0, "D", ModifiedDate),
];
