# Letters in capitals.
module Letters
  def self.upper(text) = text.upcase
end
