import { driverContract } from 'nestjs-valkey/testing';

import { embedded } from './subjects/embedded.js';
import { GLOB_PREFIX } from './subjects/prefix.js';

driverContract('the embedded driver', embedded);
driverContract('the embedded driver under a prefix with glob characters', { ...embedded, keyPrefix: GLOB_PREFIX });
