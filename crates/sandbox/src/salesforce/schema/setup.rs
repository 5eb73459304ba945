//! The standard fields of the objects that an administrator sets up: users, and who may see which field.
//!
//! Promises: as much of them as granting a field to the integration user takes.
//! Leaves to others: what a grant does (`fields`), the describe answer (`schema::describe`).

use super::Kind::{Boolean, DateTime, Email, Id, Reference, Text};
use super::Source::{CreatedBy, CreatedDate, FullName, IsDeleted, ModifiedBy, ModifiedDate, RowId, Stored};
use super::Spec;

/// Users; nobody makes them through this org's API.
pub(super) const USER: &[Spec] = &[
    ("Id", "User ID", Id, 18, "D", RowId),
    ("IsDeleted", "Deleted", Boolean, 0, "D", IsDeleted),
    ("Username", "Username", Text, 80, "Q", Stored),
    ("LastName", "Last Name", Text, 80, "", Stored),
    ("FirstName", "First Name", Text, 40, "N", Stored),
    ("Name", "Full Name", Text, 121, "", FullName),
    ("Email", "Email", Email, 128, "", Stored),
    ("IsActive", "Active", Boolean, 0, "D", Stored),
    ("CreatedDate", "Created Date", DateTime, 0, "D", CreatedDate),
    ("CreatedById", "Created By ID", Reference, 18, "D", CreatedBy),
    ("LastModifiedDate", "Last Modified Date", DateTime, 0, "D", ModifiedDate),
    ("LastModifiedById", "Last Modified By ID", Reference, 18, "D", ModifiedBy),
    ("SystemModstamp", "System Modstamp", DateTime, 0, "D", ModifiedDate),
];

/// Permission sets. Flags as elsewhere, and Q for unique.
pub(super) const PERMISSION_SET: &[Spec] = &[
    ("Id", "PermissionSet ID", Id, 18, "D", RowId),
    ("IsDeleted", "Deleted", Boolean, 0, "D", IsDeleted),
    ("Name", "Permission Set Name", Text, 80, "CUQ", Stored),
    ("Label", "Permission Set Label", Text, 80, "CU", Stored),
    ("Description", "Description", Text, 255, "CUN", Stored),
    ("IsOwnedByProfile", "Is Owned By Profile", Boolean, 0, "D", Stored),
    ("CreatedDate", "Created Date", DateTime, 0, "D", CreatedDate),
    ("CreatedById", "Created By ID", Reference, 18, "D", CreatedBy),
    ("LastModifiedDate", "Last Modified Date", DateTime, 0, "D", ModifiedDate),
    ("LastModifiedById", "Last Modified By ID", Reference, 18, "D", ModifiedBy),
    ("SystemModstamp", "System Modstamp", DateTime, 0, "D", ModifiedDate),
];

/// Which fields a permission set shows.
pub(super) const FIELD_PERMISSIONS: &[Spec] = &[
    ("Id", "Field Permissions ID", Id, 18, "D", RowId),
    ("IsDeleted", "Deleted", Boolean, 0, "D", IsDeleted),
    ("ParentId", "Parent ID", Reference, 18, "C", Stored),
    ("SobjectType", "sObject Type Name", Text, 40, "C", Stored),
    ("Field", "Field Name", Text, 120, "C", Stored),
    ("PermissionsRead", "Read Field", Boolean, 0, "CUD", Stored),
    ("PermissionsEdit", "Edit Field", Boolean, 0, "CUD", Stored),
    ("SystemModstamp", "System Modstamp", DateTime, 0, "D", ModifiedDate),
];

/// Who has a permission set.
pub(super) const PERMISSION_SET_ASSIGNMENT: &[Spec] = &[
    ("Id", "PermissionSetAssignment ID", Id, 18, "D", RowId),
    ("IsDeleted", "Deleted", Boolean, 0, "D", IsDeleted),
    ("PermissionSetId", "PermissionSet ID", Reference, 18, "C", Stored),
    ("AssigneeId", "Assignee ID", Reference, 18, "C", Stored),
    ("SystemModstamp", "Date Assigned", DateTime, 0, "D", ModifiedDate),
];
