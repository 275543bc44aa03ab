package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"victimvoice/internal/fault"
)

func errNotFound(noun string) error {
	return fault.New(fault.NotFound, "there is no such %s", noun)
}

func errTaken(noun string) error {
	return fault.New(fault.Conflict, "this %s is stored already", noun)
}

// fail gives a driver's error its kind. A context's own error and a fault pass as they are.
func fail(ctx context.Context, err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	text := "mongodb: " + fmt.Sprintf(doing, args...)
	if away(err) {
		// The driver's own deadline, not the caller's, may stand in the chain: its
		// text goes on, its identity does not, or the caller would take it for theirs.
		return fault.Wrap(fault.Unavailable, fmt.Errorf("%s: %v", text, err), "the store cannot be reached just now") //nolint:errorlint // see above
	}
	if mongo.IsDuplicateKeyError(err) {
		return fault.Wrap(fault.Conflict, fmt.Errorf("%s: %w", text, err), "this clashes with what is stored")
	}
	return fmt.Errorf("%s: %w", text, err)
}

// Codes of a server that cannot take the call now; another may, or it may later.
// https://www.mongodb.com/docs/manual/reference/error-codes/
var awayCodes = [...]int{
	6,     // HostUnreachable
	7,     // HostNotFound
	18,    // AuthenticationFailed
	64,    // WriteConcernTimeout
	89,    // NetworkTimeout
	91,    // ShutdownInProgress
	133,   // FailedToSatisfyReadPreference
	189,   // PrimarySteppedDown
	262,   // ExceededTimeLimit
	9001,  // SocketException
	10107, // NotWritablePrimary
	11600, // InterruptedAtShutdown
	11602, // InterruptedDueToReplStateChange
	13435, // NotPrimaryNoSecondaryOk
	13436, // NotPrimaryOrSecondary
}

// away reports whether err says that the database could not be reached or could
// not promise the write. What is no server's reply came of there being none: the
// driver has many names for that, some of them its own, and documents are
// encoded before it sees them.
func away(err error) bool {
	reply, ok := errors.AsType[mongo.ServerError](err)
	if !ok || mongo.IsNetworkError(err) || mongo.IsTimeout(err) {
		return true
	}
	if ce, ok := errors.AsType[mongo.CommandError](err); ok && ce.Code == 0 {
		return true // a server's refusal has a code; without one it is the driver's, of a pool it cleared
	}
	if we, ok := errors.AsType[mongo.WriteException](err); ok && we.WriteConcernError != nil {
		return true
	}
	return slices.ContainsFunc(awayCodes[:], reply.HasErrorCode)
}
