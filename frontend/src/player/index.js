// <rostrum-player> follows.
