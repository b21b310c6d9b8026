//! The components that come with offload, as `build.rs` left them.

use std::io::{self, Read};

use lzma_rust2::LzmaReader;

pub(super) struct Embedded {
    /// `provider-local`, `framework-pytest`, …
    pub(super) name: &'static str,
    /// BLAKE3 of its bytes, taken at build time.
    pub(super) hash: [u8; 32],
    /// Where its bytes begin in the unpacked stream of all components, and how many they are.
    start: u64,
    length: usize,
}

include!(concat!(env!("OUT_DIR"), "/components.rs"));

impl Embedded {
    /// The component itself. This unpacks what precedes it as well, which takes some milliseconds to some tens of them.
    pub(super) fn unpack(&self) -> Vec<u8> {
        self.read().expect("the build script packed it")
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut stream = LzmaReader::new_mem_limit(PACKED, u32::MAX, None)?;
        io::copy(&mut stream.by_ref().take(self.start), &mut io::sink())?;
        let mut bytes = vec![0; self.length];
        stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::cache;
    use super::super::engine::Runtime;
    use super::super::locator::{Kind, locate};
    use super::super::source::Source;

    /// What the component takes of the contract, and what it gives.
    #[track_caller]
    fn check(kind: Kind, name: &str, expected_imports: &[&str], expected_exports: &[&str]) {
        let engine = &Runtime::get().expect("the engine starts").engine;
        let located = locate(&Source::built_in(kind, name)).expect("it comes with offload");
        let component = cache::load(engine, &located).expect("it is a component").component_type();
        let of_contract = |name: &str| Some(name.strip_prefix("offload:plugin/")?.strip_suffix("@0.1.0")?.to_owned());
        let imports: BTreeSet<_> = component.imports(engine).filter_map(|(name, _)| of_contract(name)).collect();
        let exports: BTreeSet<_> = component.exports(engine).filter_map(|(name, _)| of_contract(name)).collect();
        assert_eq!(imports, set(expected_imports));
        assert_eq!(exports, set(expected_exports));
    }

    #[test]
    fn components_are_unpacked_as_they_were() {
        for component in &super::COMPONENTS {
            assert_eq!(*blake3::hash(&component.unpack()).as_bytes(), component.hash, "{}", component.name);
        }
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn components_take_no_more_than_they_use() {
        check(Kind::Framework, "default", &["types", "host"], &["metadata", "framework"]);
        check(Kind::Framework, "vitest", &["types", "host"], &["metadata", "framework", "observer", "worker"]);
        check(Kind::Framework, "cargo", &["types", "host"], &["metadata", "framework", "observer"]);
        check(Kind::Framework, "go", &["types", "host"], &["metadata", "framework", "observer"]);
        check(Kind::Framework, "pytest", &["types", "host"], &["metadata", "framework", "observer", "worker"]);
        let process = &["types", "host", "io", "process"];
        check(Kind::Provider, "default", process, &["metadata", "provider", "doctor"]);
        check(Kind::Provider, "local", process, &["metadata", "provider", "reaper", "doctor"]);
    }
}
