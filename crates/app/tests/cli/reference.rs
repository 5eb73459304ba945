//! The pages of the reference that are made from the code are those that the code makes.

use std::path::Path;

use tempfile::TempDir;

use crate::world::syncline;

#[test]
fn pages_made_from_the_code_are_fresh() {
    let folder = TempDir::new().unwrap();
    let made = syncline(folder.path(), &["reference", "."]);
    assert_eq!(made.exit, 0, "{}", made.told());
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    for name in made.out.lines() {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(read(folder.path()) == read(&kept), "docs/reference/{name} is old; make it anew with `cargo xtask reference`");
    }
    assert_eq!(made.out.lines().count(), 4);
}
