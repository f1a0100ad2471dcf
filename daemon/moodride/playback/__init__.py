"""The sound: a protocol, and libmpv behind it."""
