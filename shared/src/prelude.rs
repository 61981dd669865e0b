//! What most files of a server name: `use connector::prelude::*`. The rest is named where it is used.

pub use crate::{
    About, Check, Connector, Error, Kind, NO_CREDENTIAL, Result, Sandbox,
    catalog::{
        Call, Catalog, Page, Plan, Position, Reply, Tool, Written, limit, one_line,
        paging::{self, VendorPage},
    },
    settings::{Config, Setting, SettingKind},
    upstream::{Options as UpstreamOptions, Request, Upstream},
};
