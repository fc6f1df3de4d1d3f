// Imported before anything else by tests of what is slow for its surroundings: a browser, other people's clients, several nodes, or the
// same once more on another store. They try the release build, which wants trying, too; at length they try the sanitized one.
if (!process.env.FW_LONG && process.env.FW_RELEASE_BIN) process.env.FW_BIN = process.env.FW_RELEASE_BIN;
