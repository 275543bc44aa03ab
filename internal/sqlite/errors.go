package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"victimvoice/internal/fault"
)

func errClosed() error {
	return fault.New(fault.Unavailable, "the store is closed")
}

func errNotFound(noun string) error {
	return fault.New(fault.NotFound, "there is no such %s", noun)
}

func errTaken(noun string) error {
	return fault.New(fault.Conflict, "this %s is stored already", noun)
}

// code is the primary result code of SQLite in err's chain; 0 when there is none.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return lib.SQLITE_OK
}

// broke reports whether err leaves the transaction in doubt. A broken constraint
// undoes its own statement and nothing else; after any other error of the
// database the whole transaction has to go.
func broke(err error) bool {
	c := code(err)
	return c != lib.SQLITE_OK && c != lib.SQLITE_CONSTRAINT
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
	err = fmt.Errorf("sqlite: "+doing+": %w", append(args, err)...)
	switch code(err) {
	case lib.SQLITE_CONSTRAINT:
		return fault.Wrap(fault.Conflict, err, "this clashes with what is stored")
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_IOERR, lib.SQLITE_FULL, lib.SQLITE_CANTOPEN,
		lib.SQLITE_READONLY, lib.SQLITE_NOMEM, lib.SQLITE_PROTOCOL, lib.SQLITE_INTERRUPT, lib.SQLITE_PERM:
		return fault.Wrap(fault.Unavailable, err, "the store cannot be used just now")
	}
	return err
}
