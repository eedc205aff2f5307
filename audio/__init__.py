"""The edge of sound: a recording goes in, a measured file of our own comes out; nothing else is ever aired."""
