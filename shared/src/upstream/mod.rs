//! The pipeline to the vendor.
