// The database server's health check: well only once it is the primary of the
// replica set rs0. On an empty volume it makes that set, of this one member.
// Run as `mongosh --nodb --quiet mongo-health.js`; the password stays out of
// the process list that way.
const password = fs.readFileSync('/secrets/root-password', 'utf8').trim();
const admin = connect(
  'mongodb://root:' + encodeURIComponent(password) +
  '@127.0.0.1:27017/admin?directConnection=true&serverSelectionTimeoutMS=3000',
);

const NOT_YET_INITIALIZED = 94;
try {
  admin.adminCommand({ replSetGetStatus: 1 });
} catch (e) {
  if (e.code !== NOT_YET_INITIALIZED) throw e;
  admin.adminCommand({
    replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: 'mongo:27017' }] },
  });
}

const hello = admin.hello();
// The shell starts a log in its home at every run; this home is the check's own.
fs.rmSync('/tmp/health', { recursive: true, force: true });
quit(hello.setName === 'rs0' && hello.isWritablePrimary ? 0 : 1);
