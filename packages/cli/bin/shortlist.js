#!/usr/bin/env node
// npm links commands while it installs, before anything is built: a file that is there from the start.
import '../build/src/bin.js';
