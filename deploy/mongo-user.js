// Runs once, when the database server starts on an empty volume: makes the user
// as which the service signs in. It may read and write its own database only.
const password = fs.readFileSync('/secrets/app-password', 'utf8').trim();

db.getSiblingDB('victimvoice').createUser({
  user: 'victimvoice',
  pwd: password,
  roles: [{ role: 'readWrite', db: 'victimvoice' }],
});
