import { driverContract } from 'nestjs-valkey/testing';

import { discreetContract } from './subjects/discreet.js';
import { embedded } from './subjects/embedded.js';

driverContract('the embedded driver', embedded());
discreetContract('the embedded driver with all ears open', embedded);
