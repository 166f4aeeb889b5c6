//! The API: HTTP requests with a token -> plans, changes and answers in the words of [`words`]. Knows neither sockets nor
//! TLS, and decides nothing about placement.
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /v1/healthz`, `GET /v1/openapi.json` | anyone | |
//! | `GET /v1/whoami` | any token | |
//! | `GET /v1/sites`, `GET /v1/sites/{fqdn}`, `GET /v1/sites/{fqdn}/notice` | any token | a customer's: its own sites |
//! | `GET /v1/sites/{fqdn}/environments` | operators | placements |
//! | `POST /v1/plans`, `GET /v1/plans/{id}`, `POST /v1/plans/{id}/apply` | any token | a customer's: its own plans |
//! | `GET /v1/plans/{id}/detail`, `POST /v1/plans/evacuation` | operators | |
//! | `GET, PUT /v1/nodes`, `GET, DELETE /v1/nodes/{name}` | operators | |
//! | `POST /v1/nodes/{name}/{drain,undrain,dead,join-token}` | operators | |
//! | `GET /v1/customers`, `PUT, DELETE /v1/customers/{name}` | operators | |
//! | `GET, POST /v1/tokens`, `DELETE /v1/tokens/{id}` | operators | |
//! | `GET, POST /v1/bans`, `POST /v1/bans/lift` | any token | a customer's: on its own sites |
//! | `GET /v1/audit`, `GET /v1/export`, `POST /v1/import` | operators | |

pub mod words;
