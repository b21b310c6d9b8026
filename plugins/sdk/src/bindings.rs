//! The generated face of everything in `wit/` that a component may call or name.

wit_bindgen::generate!({
    inline: "
        package offload:sdk;
        world imports {
            import offload:plugin/types@0.1.0;
            import offload:plugin/host@0.1.0;
            import offload:plugin/io@0.1.0;
            import offload:plugin/process@0.1.0;
            import offload:plugin/bridge@0.1.0;
        }
    ",
    path: "../../wit",
    world: "offload:sdk/imports",
    additional_derives: [PartialEq],
    generate_all,
});
