//! The words that generated contacts are made of.
//!
//! Promises: names that real address books hold, with apostrophes, hyphens, accents and particles among them; domains
//! and numbers that are set aside for examples, so that nobody is ever written to or called.
//! Leaves to others: how the words are put together (`person`). A changed list changes the stream of every seed.

/// First names.
#[rustfmt::skip]
pub(super) const FIRST: [&str; 126] = [
    "Alice", "Amir", "Ana", "Andrew", "Anna", "Anne-Marie", "Antonio", "Arthur", "Ayşe", "Beatriz", "Benjamin",
    "Björn", "Brian", "Camille", "Carlos", "Caroline", "Chiara", "Chloé", "Claire", "Daniel", "David", "Deborah",
    "Diego", "Elena", "Elif", "Elizabeth", "Emeka", "Emily", "Emma", "Erik", "Esther", "Ewa", "Fatima", "Felix",
    "François", "Gabriel", "George", "Giulia", "Grace", "Hannah", "Hans-Peter", "Harriet", "Hassan", "Helen", "Henry",
    "Hugo", "Ian", "Ines", "Ingrid", "Isabella", "Jack", "James", "Jan", "Jasmine", "Jean-Luc", "Jennifer", "Jessica",
    "Jonas", "José", "João", "Julia", "Karen", "Kenji", "Kevin", "Kofi", "Kwame", "Lars", "Laura", "Leila", "Liam",
    "Linda", "Louis", "Lucía", "Lukas", "Magnus", "Marek", "Maria", "Mary", "Mateo", "Matthew", "Maya", "Mei",
    "Michael", "Miguel", "Mia", "Mohammed", "Nadia", "Nina", "Noah", "Nora", "Olivia", "Oscar", "Owen", "Pablo",
    "Patricia", "Paul", "Peter", "Priya", "Rachel", "Rajesh", "Renée", "René", "Richard", "Robert", "Rosa", "Ruth",
    "Samuel", "Sara", "Sean", "Siobhán", "Sofia", "Søren", "Sophie", "Stefan", "Stephanie", "Susan", "Tariq",
    "Thomas", "Tomás", "Valentina", "Victoria", "William", "Yasmin", "Yuki", "Zoë", "Zofia",
];

/// Second given names.
#[rustfmt::skip]
pub(super) const MIDDLE: [&str; 14] = [
    "Amelia", "Charles", "Edward", "Frances", "Jane", "John", "Joseph", "Lee", "Louise", "Lynn", "Marie", "May",
    "Rae", "Rose",
];

/// Last names, some of several words.
#[rustfmt::skip]
pub(super) const LAST: [&str; 146] = [
    "Ahmed", "Allen", "Almeida", "Andersson", "Bailey", "Baker", "Bauer", "Bell", "Bennett", "Bianchi", "Brown",
    "Campbell", "Carter", "Castro", "Chen", "Clark", "Cohen", "Collins", "Cooper", "Costa", "Cox", "D'Angelo",
    "D'Souza", "Davies", "Davis", "Day-Lewis", "de la Cruz", "de Vries", "Diaz", "Dubois", "Edwards", "Evans",
    "Fernández", "Fischer", "Flores", "Foster", "García", "Garcia-Lopez", "Gómez", "González", "Gray", "Green",
    "Gupta", "Hall", "Hansen", "Harris", "Hernández", "Hill", "Hoffmann", "Howard", "Hughes", "Ibrahim", "Jackson",
    "Jansen", "Johansson", "Johnson", "Jones", "Kaya", "Kelly", "Khan", "Kim", "King", "Kowalski", "Kumar", "Laurent",
    "Lee", "Lefèvre", "Lewis", "Lindqvist", "López", "MacDonald", "Martin", "Martínez", "McCarthy", "Mensah", "Meyer",
    "Miller", "Mitchell", "Moore", "Moreau", "Morgan", "Müller", "Murphy", "Nakamura", "Nguyen", "Novak", "Núñez",
    "O'Brien", "O'Connor", "O'Neill", "Okafor", "Okonkwo", "Olsen", "Parker", "Patel", "Pérez", "Petrov", "Phillips",
    "Popov", "Reed", "Reilly", "Richardson", "Rivera", "Roberts", "Robinson", "Rodríguez", "Rossi", "Russo",
    "Sánchez", "Santos", "Sato", "Schmidt", "Schneider", "Scott", "Sharma", "Silva", "Singh", "Smith", "Smith-Jones",
    "Stewart", "Suzuki", "Svensson", "Tanaka", "Taylor", "Thomas", "Thompson", "Torres", "Turner", "van den Heuvel",
    "van der Berg", "von Braun", "Walker", "Wang", "Ward", "Watson", "Weber", "White", "Williams", "Wilson", "Wójcik",
    "Wood", "Wright", "Yamamoto", "Yılmaz", "Young", "Zhang",
];

/// Domains under names that RFC 2606 reserves.
#[rustfmt::skip]
pub(super) const DOMAINS: [&str; 7] = [
    "example.com", "example.org", "example.net", "mail.example.com", "office.example.com", "team.example.org",
    "post.example.net",
];

/// Area codes of the United States and Canada; 555-0100 to 555-0199 are fictitious in each.
#[rustfmt::skip]
pub(super) const AREAS: [&str; 50] = [
    "201", "202", "206", "212", "213", "214", "215", "216", "301", "303", "305", "310", "312", "313", "314", "317",
    "404", "408", "412", "415", "416", "469", "502", "503", "504", "512", "514", "602", "604", "612", "613", "614",
    "615", "617", "619", "646", "702", "704", "713", "718", "801", "804", "813", "816", "818", "858", "901", "904",
    "916", "919",
];
