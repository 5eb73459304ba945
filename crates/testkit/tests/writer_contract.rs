//! Every writer against docs/spec/writer.md.

mod salesforce {
    syncline_testkit::writer_contract!(syncline_testkit::contract::writer_vendors::SALESFORCE);
}

mod hubspot {
    syncline_testkit::writer_contract!(syncline_testkit::contract::writer_vendors::HUBSPOT);
}
