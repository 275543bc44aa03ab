// Package survey owns what we ask and what we hear: case events, the plan of
// what a person is owed, invitations and their links, a person's survey session,
// answers and responses. It knows neither mail, nor HTTP, nor a database.
package survey
